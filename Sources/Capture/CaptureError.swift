// SPDX-License-Identifier: GPL-2.0-only

internal import Glibc
package import SystemPackage
package import TraceFile

/// Why a recording could not start, or could not be finished.
///
/// Each case has what a person needs to act: the file concerned and the reason, in one sentence.
package enum CaptureError: Error, CustomStringConvertible, Equatable, Sendable {
  /// A system call on `path` failed; `doing` is a verb: "create", "write".
  case file(path: String, doing: String, Errno)
  /// The process lacks the right to do what recording needs.
  case notPrivileged(path: String)
  /// No tracefs in the mount table.
  case tracefsNotMounted
  /// The kernel's instance has no such file: its kernel is too old, or built without the feature.
  case missing(path: String, consequence: String)
  /// The command could not be started.
  case command(name: String, Errno)
  case noSuchProcess(Int32)
  /// Neither page faults nor page allocations can be recorded here.
  case nothingToRecord
  case invalid(String)
  /// The capture could not be written.
  case output(TraceFileError)

  /// What the system call that has just failed says.
  static func lastCall(_ path: String, _ doing: String) -> CaptureError {
    .file(path: path, doing: doing, Errno(rawValue: Glibc.errno))
  }

  /// A process went while its files in procfs were read.
  var meansGone: Bool {
    guard case .file(_, _, let code) = self else { return false }
    return code == .noSuchFileOrDirectory || code == .noSuchProcess
  }

  package var description: String {
    switch self {
    case .file(let path, let doing, let errno):
      "\(path): \(doing): \(errno)"
    case .notPrivileged(let path):
      "\(path) is not accessible to this user: recording needs root (sudo cowscope record ...)"
    case .tracefsNotMounted:
      "tracefs is not mounted (nothing of type tracefs in /proc/self/mounts): run "
        + "'mount -t tracefs none /sys/kernel/tracing' as root and try again"
    case .missing(let path, let consequence):
      "\(path) does not exist: \(consequence)"
    case .command(let name, let errno):
      "\(name): \(errno)"
    case .noSuchProcess(let pid):
      "there is no process \(pid) (/proc/\(pid) does not exist)"
    case .nothingToRecord:
      "this kernel offers neither page-fault nor page-allocation events: there would be nothing to replay"
    case .invalid(let reason):
      reason
    case .output(let error):
      error.description
    }
  }
}
