// SPDX-License-Identifier: GPL-2.0-only

internal import CTraceFS
internal import Glibc
internal import SystemPackage

/// What the main thread waits for: a wake-up, and the end of processes.
struct WaitSet: ~Copyable {
  private let wakeUp: WakeUp
  private var processes: [FileDescriptor] = []

  init(wakeUp: WakeUp) { self.wakeUp = wakeUp }

  deinit { for process in processes { KernelText.closeQuietly(process) } }

  /// Waits for these processes too. One that is gone already does not count as waited for.
  mutating func add(_ pids: [Int32]) {
    for pid in pids {
      let descriptor = pidfd_of(pid)
      if descriptor >= 0 { processes.append(FileDescriptor(rawValue: descriptor)) }
    }
  }

  /// All processes have ended.
  var isEmpty: Bool { processes.isEmpty }

  /// Returns when a process ended (it is dropped), the wake-up was signalled, or the time has come.
  mutating func wait(until deadline: Int?) {
    var descriptors = [pollfd(fd: wakeUp.readEnd.rawValue, events: Int16(POLLIN), revents: 0)]
    for process in processes { descriptors.append(pollfd(fd: process.rawValue, events: Int16(POLLIN), revents: 0)) }
    let timeout = deadline.map { max(0, $0 - Self.now()) } ?? -1
    guard unsafe poll(&descriptors, nfds_t(descriptors.count), Int32(clamping: timeout)) > 0 else { return }
    var left: [FileDescriptor] = []
    for (process, descriptor) in zip(processes, descriptors.dropFirst()) {
      if descriptor.revents != 0 { KernelText.closeQuietly(process) } else { left.append(process) }
    }
    processes = left
  }

  /// Milliseconds of the monotonic clock.
  static func now() -> Int {
    var now = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
  }
}
