// SPDX-License-Identifier: GPL-2.0-only

internal import CTraceFS
internal import Glibc
internal import SystemPackage

/// An exclusive `flock(2)` on a directory, on disk or in tracefs, held until it goes away or the process ends.
///
/// It belongs to the open file, not to a pid: it ends with its holder even by SIGKILL, it is seen from every pid
/// namespace, and two attempts of one process exclude each other too.
final class DirectoryLock {
  private let descriptor: FileDescriptor
  private let status: stat

  enum Attempt {
    case taken(DirectoryLock)
    /// Somebody else has it.
    case busy
    /// There is no such directory, or no longer the one that was locked.
    case gone
    /// There is something, but no directory that can be locked.
    case failed(Errno)
  }

  static func take(_ path: String) -> Attempt {
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return errno == ENOENT ? .gone : .failed(Errno(rawValue: errno)) }
    let lock = DirectoryLock(FileDescriptor(rawValue: descriptor))
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      switch errno {
      case EINTR: continue
      case EWOULDBLOCK: return .busy
      case let code: return .failed(Errno(rawValue: code))
      }
    }
    var now = stat()
    let isStillThere =
      unsafe lstat(path, &now) == 0 && now.st_ino == lock.status.st_ino && now.st_dev == lock.status.st_dev
    return isStillThere ? .taken(lock) : .gone
  }

  private init(_ descriptor: FileDescriptor) {
    self.descriptor = descriptor
    var status = stat()
    unsafe fstat(descriptor.rawValue, &status)
    self.status = status
  }

  deinit { KernelText.closeQuietly(descriptor) }

  var rawDescriptor: Int32 { descriptor.rawValue }

  var isOwnedByUs: Bool { status.st_uid == geteuid() }
}
