// SPDX-License-Identifier: GPL-2.0-only

import Glibc
import SystemPackage

/// A file that the user named for a report.
enum NamedFile {
  /// A regular file is replaced at once when the whole report is on disk, with the owner and mode it had; so is one
  /// that does not exist. Whatever else has the name (device, FIFO, symbolic link, a file with other names too) stays
  /// what it is and is written to, as a shell's `>` would.
  static func write(_ bytes: [UInt8], to path: String) throws(CommandError) {
    var old = stat()
    let exists = unsafe lstat(path, &old) == 0
    let isOrdinary = !exists || (old.st_mode & S_IFMT == S_IFREG && old.st_nlink == 1)
    do {
      if isOrdinary, let draft = try Draft(besides: path) {
        try draft.replace(path, with: bytes, keeping: exists ? old : nil)
      } else {
        let file = try FileDescriptor.open(
          FilePath(path), .writeOnly, options: [.create, .truncate, .closeOnExec],
          permissions: [.ownerReadWrite, .groupReadWrite, .otherReadWrite])
        try file.closeAfter { _ = try file.writeAll(bytes) }
      }
    } catch {
      throw CommandError(path: path, reason: (error as? Errno)?.description ?? "\(error)")
    }
  }

  /// A file beside another that is to take its place.
  private struct Draft {
    let path: String
    let descriptor: FileDescriptor

    /// `nil` where the directory admits no new file: then the old one may still be written to.
    init?(besides target: String) throws(Errno) {
      var template = Array("\(target).XXXXXX".utf8CString)
      let descriptor = unsafe mkstemp(&template)
      if descriptor < 0 {
        switch errno {
        case EACCES, EPERM, EROFS: return nil
        case let code: throw Errno(rawValue: code)
        }
      }
      path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
      self.descriptor = FileDescriptor(rawValue: descriptor)
    }

    func replace(_ target: String, with bytes: [UInt8], keeping old: stat?) throws {
      do {
        try descriptor.closeAfter {
          _ = try descriptor.writeAll(bytes)
          if let old {
            // Only root can give a file away; for others it is theirs already or becomes so.
            _ = fchown(descriptor.rawValue, old.st_uid, old.st_gid)
            fchmod(descriptor.rawValue, old.st_mode & 0o7777)
          } else {
            let mask = umask(0)
            umask(mask)
            fchmod(descriptor.rawValue, 0o666 & ~mask)
          }
          if fsync(descriptor.rawValue) != 0 { throw Errno(rawValue: errno) }
        }
        if unsafe rename(path, target) != 0 { throw Errno(rawValue: errno) }
      } catch {
        unsafe unlink(path)
        throw error
      }
    }
  }
}
