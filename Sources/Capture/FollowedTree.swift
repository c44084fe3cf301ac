// SPDX-License-Identifier: GPL-2.0-only

internal import TraceFile

/// The processes a recording follows, as the kernel's own list of thread ids has them.
///
/// `set_event_pid` holds tids, not process ids. With the instance's option `event-fork` the kernel adds children and
/// threads at fork and drops them when their task struct goes, so it is read back rather than kept here.
package enum FollowedTree {
  /// The threads of a process, or an error when there is none.
  package static func threads(of pid: Int32, proc: String = "/proc") throws(CaptureError) -> [Int32] {
    let tids = DirectoryListing.names(in: "\(proc)/\(pid)/task").compactMap { Int32($0) }
    guard !tids.isEmpty else { throw .noSuchProcess(pid) }
    return tids
  }

  /// The processes that the threads of `pid` have made and that are there yet (`/proc/PID/task/TID/children`).
  package static func children(of pid: Int32, proc: String = "/proc") -> [Int32] {
    let tids = (try? threads(of: pid, proc: proc)) ?? []
    return tids.flatMap { tid in
      (KernelText.readIfPresent("\(proc)/\(pid)/task/\(tid)/children") ?? "").split(whereSeparator: \.isWhitespace)
        .compactMap { Int32($0) }
    }
  }

  /// Follows every thread of `pids`, and of the processes they have made: those share pages with them.
  ///
  /// A thread or child made while the list is read would be missed, so the list is read again until it adds nothing:
  /// with `event-fork` set before, what a listed thread makes is followed by the kernel. Throws when one of `pids` is
  /// not there; a child that ends meanwhile is no error.
  package static func follow(
    _ pids: [Int32], in instance: borrowing TraceInstance, proc: String = "/proc"
  ) throws(CaptureError) {
    try instance.write("1", to: "options/event-fork")
    var followed: Set<Int32> = []
    var family = pids
    var next = 0
    while next < family.count {
      let pid = family[next]
      next += 1
      while true {
        let all: [Int32]
        do {
          all = try threads(of: pid, proc: proc)
        } catch {
          if pids.contains(pid) { throw error }
          break
        }
        let fresh = all.filter { !followed.contains($0) }
        if fresh.isEmpty { break }
        // One page of text at most is parsed per write.
        for start in stride(from: 0, to: fresh.count, by: 256) {
          let some = fresh[start..<min(start + 256, fresh.count)]
          try instance.write(some.map(String.init).joined(separator: " "), to: "set_event_pid")
        }
        followed.formUnion(fresh)
      }
      family += children(of: pid, proc: proc).filter { !family.contains($0) }
    }
  }

  /// The live processes behind the followed threads, in order of pid, without those in `excluding`.
  package static func processes(
    in instance: borrowing TraceInstance, excluding: Set<Int32>, proc: String = "/proc"
  ) throws(CaptureError) -> [Int32] {
    let tids = try instance.read("set_event_pid").split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
    var pids: Set<Int32> = []
    for tid in tids {
      if let pid = threadGroup(of: tid, proc: proc), !excluding.contains(pid) { pids.insert(pid) }
    }
    return pids.sorted()
  }

  /// Every user process of the host (those with an mm), for `-a`.
  package static func allProcesses(excluding: Set<Int32>, proc: String = "/proc") -> [Int32] {
    DirectoryListing.names(in: proc).compactMap { Int32($0) }
      .filter { !excluding.contains($0) && threadGroup(of: $0, proc: proc) != nil }
      .sorted()
  }

  /// The process a thread belongs to, or `nil` when it has no address space: gone, a zombie, or a kernel thread.
  ///
  /// A dead task stays in `set_event_pid` until RCU frees it; only live ones have a `VmSize` line.
  package static func threadGroup(of tid: Int32, proc: String = "/proc") -> Int32? {
    guard let status = KernelText.readIfPresent("\(proc)/\(tid)/status") else { return nil }
    return threadGroup(inStatus: status)
  }

  package static func threadGroup(inStatus status: String) -> Int32? {
    var group: Int32?
    var hasAddressSpace = false
    for line in status.split(separator: "\n") {
      if line.hasPrefix("Tgid:") {
        group = Int32(line.dropFirst(5).drop(while: \.isWhitespace))
      } else if line.hasPrefix("VmSize:") {
        hasAddressSpace = true
      }
    }
    return hasAddressSpace ? group : nil
  }
}
