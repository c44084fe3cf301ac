// SPDX-License-Identifier: GPL-2.0-only

internal import Glibc
internal import SystemPackage

/// A file of a capture being written front to back; closed when it goes away. It is its owner's alone (0600): captures
/// hold kernel addresses, frame numbers and command lines.
package struct OutputFile: ~Copyable {
  let path: String
  private let descriptor: FileDescriptor
  private(set) var offset: UInt64 = 0

  /// Creates the file, or empties it.
  init(creating path: String) throws(TraceFileError) {
    self.path = path
    do {
      descriptor = try FileDescriptor.open(
        FilePath(path), .writeOnly, options: [.create, .truncate, .closeOnExec, .noFollow],
        permissions: .ownerReadWrite)
    } catch {
      throw Self.failure("open", error, path, nil)
    }
  }

  deinit {
    // Nothing can be done about an error here; `finish` reports those that matter.
    _ = close(descriptor.rawValue)
  }

  mutating func write(_ bytes: [UInt8]) throws(TraceFileError) {
    do {
      offset += UInt64(try descriptor.writeAll(bytes))
    } catch {
      throw Self.failure("write", error, path, offset)
    }
  }

  /// Zeros up to the next multiple of `alignment`.
  mutating func pad(toMultipleOf alignment: Int) throws(TraceFileError) {
    let rest = Int(offset % UInt64(alignment))
    if rest > 0 { try write([UInt8](repeating: 0, count: alignment - rest)) }
  }

  /// Appends the first `count` bytes of another file, inside the kernel where the file systems allow.
  mutating func append(contentsOf source: String, count: UInt64) throws(TraceFileError) {
    do {
      let input = try FileDescriptor.open(FilePath(source), .readOnly, options: [.closeOnExec])
      defer { _ = Glibc.close(input.rawValue) }
      var left = count
      while left > 0 {
        // `copy_file_range` is hidden from Swift (_GNU_SOURCE); `sendfile` splices through the page cache just as well.
        let copied = sendfile(descriptor.rawValue, input.rawValue, nil, Int(min(left, 1 << 30)))
        if copied > 0 {
          left -= UInt64(copied)
        } else if copied < 0 && errno == EINTR {
          continue
        } else {
          break
        }
      }
      var buffer = [UInt8](repeating: 0, count: left > 0 ? 1 << 20 : 0)
      while left > 0 {
        let wanted = Int(min(left, UInt64(buffer.count)))
        let got = try unsafe buffer.withUnsafeMutableBytes {
          try unsafe input.read(into: .init(rebasing: $0[..<wanted]))
        }
        guard got > 0 else {
          throw TraceFileError(file: source, offset: count - left, reason: .truncated("the data to be copied"))
        }
        try descriptor.writeAll(buffer[..<got])
        left -= UInt64(got)
      }
      offset += count
    } catch let error as TraceFileError {
      throw error
    } catch {
      throw Self.failure("copy", error, path, offset)
    }
  }

  /// Forces the content to disk and reports what `close` would have hidden.
  mutating func finish() throws(TraceFileError) {
    guard fsync(descriptor.rawValue) == 0 || errno == EINVAL else {
      throw TraceFileError(file: path, offset: offset, reason: .system(call: "fsync", errno: errno))
    }
  }

  /// The end of the name of a file that is not whole yet.
  static let draftSuffix = ".new"

  /// Puts a small file in place at once: a reader sees the old content or the new, and so does whoever comes after a
  /// crash. A symbolic link of that name is replaced, never followed.
  ///
  /// - Parameter draft: Its name until it is whole, in the same directory.
  package static func replace(
    _ path: String, with bytes: [UInt8], draft: String? = nil
  ) throws(TraceFileError) {
    let draft = draft ?? path + draftSuffix
    guard unsafe unlink(draft) == 0 || errno == ENOENT else {
      throw TraceFileError(file: draft, offset: nil, reason: .system(call: "unlink", errno: errno))
    }
    var file = try OutputFile(creating: draft)
    try file.write(bytes)
    try file.finish()
    guard unsafe rename(draft, path) == 0 else {
      throw TraceFileError(file: path, offset: nil, reason: .system(call: "rename", errno: errno))
    }
  }

  private static func failure(_ call: String, _ error: any Error, _ path: String, _ offset: UInt64?) -> TraceFileError {
    TraceFileError(
      file: path, offset: offset, reason: .system(call: call, errno: (error as? Errno)?.rawValue ?? EIO))
  }
}
