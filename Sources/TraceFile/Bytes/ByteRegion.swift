// SPDX-License-Identifier: GPL-2.0-only

internal import Glibc

/// Read-only bytes of a capture: a mapped file, or a decompressed section of one.
///
/// Memory stays valid as long as the region lives. A file is mapped only when it is large: what another program cuts
/// off a mapped file raises `SIGBUS`.
@safe
package final class ByteRegion: @unchecked Sendable {
  /// For messages: the file the bytes come from.
  let file: String
  /// For messages: the offset in `file` that byte 0 has; in a decompressed section, the section's own.
  let fileOffset: UInt64
  let count: Int
  let base: UnsafeRawPointer
  private let origin: Origin

  private enum Origin { case mapping, heap }

  /// A file up to this is read, a larger one is mapped.
  private static let largestCopy = 8 << 20

  /// Opens a regular file.
  init(mapping path: String) throws(TraceFileError) {
    func failure(_ call: String) -> TraceFileError {
      TraceFileError(file: path, offset: nil, reason: .system(call: call, errno: errno))
    }
    // Not to wait for a FIFO's other end.
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure("open") }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw failure("fstat") }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw TraceFileError(file: path, offset: nil, reason: .notAFile)
    }
    file = path
    fileOffset = 0
    guard status.st_size > Self.largestCopy else {
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(Int(status.st_size), 1), alignment: 8)
      var end = 0
      while end < Int(status.st_size) {
        let read = unsafe read(descriptor, copy.baseAddress.map { unsafe $0 + end }, Int(status.st_size) - end)
        if read < 0, errno == EINTR { continue }
        guard read >= 0 else {
          let failure = failure("read")
          unsafe copy.deallocate()
          throw failure
        }
        if read == 0 { break }
        end += read
      }
      count = end
      unsafe base = UnsafeRawPointer(copy.baseAddress.unsafelyUnwrapped)
      origin = .heap
      return
    }
    count = Int(status.st_size)
    guard let mapped = unsafe mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), unsafe mapped != MAP_FAILED
    else { throw failure("mmap") }
    unsafe base = UnsafeRawPointer(mapped)
    origin = .mapping
  }

  /// Takes over bytes allocated with `UnsafeMutableRawPointer.allocate`.
  init(owning bytes: UnsafeMutableRawBufferPointer, file: String, fileOffset: UInt64) {
    self.file = file
    self.fileOffset = fileOffset
    count = bytes.count
    origin = .heap
    unsafe base = UnsafeRawPointer(
      bytes.baseAddress ?? UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 8))
  }

  convenience init(copying bytes: [UInt8], file: String) {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
    unsafe copy.copyBytes(from: bytes)
    unsafe self.init(owning: copy, file: file, fileOffset: 0)
  }

  deinit {
    switch origin {
    case .mapping: unsafe munmap(UnsafeMutableRawPointer(mutating: base), count)
    case .heap: unsafe base.deallocate()
    }
  }

  /// The bytes of `range` cut to what exists.
  func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    let range = range.clamped(to: 0..<count)
    return unsafe UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
  }

  /// The bytes of `range` as text; invalid UTF-8 is repaired, because kernel strings may hold anything.
  func text(_ range: Range<Int>) -> String { unsafe String(decoding: bytes(range), as: UTF8.self) }

  func error(at offset: Int, _ reason: TraceFileError.Reason) -> TraceFileError {
    TraceFileError(file: file, offset: fileOffset + UInt64(offset), reason: reason)
  }

  /// Tells the kernel that the range is about to be read front to back.
  func willReadSequentially(_ range: Range<Int>) {
    guard origin == .mapping else { return }
    let start = range.clamped(to: 0..<count).lowerBound & ~(Int(getpagesize()) - 1)
    let length = range.clamped(to: 0..<count).upperBound - start
    if length > 0 { unsafe madvise(UnsafeMutableRawPointer(mutating: base + start), length, MADV_SEQUENTIAL) }
  }

  /// Tells the kernel that the range is done with: mapped pages leave this process's memory, not the page cache. They
  /// can still be read.
  func willNotRead(_ range: Range<Int>) {
    guard origin == .mapping else { return }
    let page = Int(getpagesize())
    let start = (max(range.lowerBound, 0) + page - 1) & ~(page - 1)
    let end = min(range.upperBound, count) & ~(page - 1)
    if end > start { unsafe madvise(UnsafeMutableRawPointer(mutating: base + start), end - start, MADV_DONTNEED) }
  }
}
