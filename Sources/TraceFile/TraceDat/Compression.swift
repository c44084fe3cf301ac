// SPDX-License-Identifier: GPL-2.0-only

internal import CZlib
internal import CZstd

/// How a version 7 file compresses its sections.
enum Compression: Sendable, Equatable {
  case none, zstd, zlib

  /// More than any section of a real file; a corrupt size beyond it is refused before memory is asked for.
  static let maximumSize = 64 << 20

  init?(name: String) {
    switch name {
    case "none": self = .none
    case "zstd": self = .zstd
    case "zlib": self = .zlib
    default: return nil
    }
  }

  /// Decompresses one frame that must give exactly `output.count` bytes; the message says why it did not.
  func decompress(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> String? {
    switch self {
    case .none:
      guard input.count == output.count else { return "\(input.count) bytes stored for \(output.count)" }
      unsafe output.copyMemory(from: input)
      return nil
    case .zstd:
      let size = unsafe ZSTD_decompress(output.baseAddress, output.count, input.baseAddress, input.count)
      if ZSTD_isError(size) != 0 { return unsafe "zstd: " + String(cString: ZSTD_getErrorName(size)) }
      return size == output.count ? nil : "zstd: \(size) bytes instead of \(output.count)"
    case .zlib:
      var size = uLongf(output.count)
      let status = unsafe uncompress(
        output.baseAddress?.assumingMemoryBound(to: UInt8.self), &size,
        input.baseAddress?.assumingMemoryBound(to: UInt8.self), uLong(input.count))
      if status != Z_OK { return "zlib: error \(status)" }
      return size == uLongf(output.count) ? nil : "zlib: \(size) bytes instead of \(output.count)"
    }
  }
}
