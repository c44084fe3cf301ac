// SPDX-License-Identifier: GPL-2.0-only

internal import CTraceFS
internal import Glibc
internal import TraceFile

/// Stopping a process while it is looked at.
enum Freezer {
  /// Stops every thread of the process and waits until they are; false when it was stopped already (then it must not
  /// be continued either), is gone, or did not stop within a second (a thread in uninterruptible sleep).
  static func stop(_ pid: Int32, under watchdog: Watchdog) -> Bool {
    if isStopped(pid) { return false }
    watchdog.continues(pid)
    if kill(pid, SIGSTOP) != 0 { return false }
    for _ in 0..<1000 {
      if isStopped(pid) { return true }
      usleep(1000)
    }
    `continue`(pid, under: watchdog)
    return false
  }

  static func `continue`(_ pid: Int32, under watchdog: Watchdog) {
    kill(pid, SIGCONT)
    watchdog.forgets()
  }

  private static func isStopped(_ pid: Int32) -> Bool {
    let tids = DirectoryListing.names(in: "/proc/\(pid)/task")
    return !tids.isEmpty
      && tids.allSatisfy { tid in
        let stat = KernelText.readIfPresent("/proc/\(pid)/task/\(tid)/stat")
        return stat.flatMap(ProcessStat.state(in:)) == "T"
      }
  }
}

/// Fields of `/proc/PID/stat`. They are counted from behind the last ")": the name in the parentheses may hold
/// anything.
package enum ProcessStat {
  /// Field 22, in clock ticks since boot; `nil` when the process is gone.
  static func startTime(of pid: Int32) -> UInt64? {
    KernelText.readIfPresent("/proc/\(pid)/stat").flatMap(startTime(in:))
  }

  package static func startTime(in stat: String) -> UInt64? {
    let fields = fieldsFromState(stat)
    return fields.count > 19 ? UInt64(fields[19]) : nil
  }

  /// Field 3: "R", "S", "T" (stopped), ...
  package static func state(in stat: String) -> Character? { fieldsFromState(stat).first?.first }

  private static func fieldsFromState(_ stat: String) -> [Substring] {
    guard let close = stat.lastIndex(of: ")") else { return [] }
    return stat[close...].dropFirst().split(separator: " ")
  }
}
