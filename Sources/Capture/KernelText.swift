// SPDX-License-Identifier: GPL-2.0-only

package import SystemPackage

/// Reading and writing the kernel's small text files (procfs, sysfs, tracefs).
///
/// Their reported size is 0 or a page whatever they hold, so they are read until the end; and each write must be one
/// `write(2)`, because the kernel parses each call by itself.
package enum KernelText {
  /// The whole file, bytes that are not UTF-8 replaced.
  package static func read(_ path: String) throws(CaptureError) -> String {
    String(decoding: try readBytes(path), as: UTF8.self)
  }

  package static func readBytes(_ path: String) throws(CaptureError) -> [UInt8] {
    let descriptor = try open(path, .readOnly, doing: "read")
    defer { closeQuietly(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      do {
        let count = unsafe try chunk.withUnsafeMutableBytes { unsafe try descriptor.read(into: $0) }
        if count == 0 { return bytes }
        bytes.append(contentsOf: chunk.prefix(count))
      } catch {
        throw .file(path: path, doing: "read", errno(error))
      }
    }
  }

  /// The file's text without the final newline, or `nil` when this kernel has no such file or does not show it.
  package static func readIfPresent(_ path: String) -> String? {
    do {
      let text = try read(path)
      return text.hasSuffix("\n") ? String(text.dropLast()) : text
    } catch {
      return nil
    }
  }

  /// Writes `text` in one call. `truncating` empties lists such as `set_event_pid` first; otherwise it appends to them.
  package static func write(_ text: String, to path: String, truncating: Bool = false) throws(CaptureError) {
    let descriptor = try open(path, .writeOnly, truncating ? [.truncate] : [], doing: "write")
    defer { closeQuietly(descriptor) }
    do {
      _ = try descriptor.write(Array(text.utf8))
    } catch {
      throw .file(path: path, doing: "write \"\(text)\" to", errno(error))
    }
  }

  package static func open(
    _ path: String, _ mode: FileDescriptor.AccessMode, _ options: FileDescriptor.OpenOptions = [], doing: String
  ) throws(CaptureError) -> FileDescriptor {
    do {
      return try FileDescriptor.open(FilePath(path), mode, options: options.union(.closeOnExec))
    } catch {
      switch errno(error) {
      case .permissionDenied, .notPermitted: throw .notPrivileged(path: path)
      case let code: throw .file(path: path, doing: doing, code)
      }
    }
  }

  /// Closing can only report errors of earlier writes, which `write(2)` on these files has already reported.
  static func closeQuietly(_ descriptor: FileDescriptor) {
    do { try descriptor.close() } catch {}
  }

  /// The error number of an error thrown by SystemPackage, which throws nothing else.
  static func errno(_ error: any Error) -> Errno { (error as? Errno) ?? .ioError }
}

extension FileDescriptor {
  /// One `write(2)` of all of `bytes`.
  fileprivate func write(_ bytes: [UInt8]) throws -> Int {
    unsafe try bytes.withUnsafeBytes { unsafe try write($0) }
  }
}
