// SPDX-License-Identifier: GPL-2.0-only

internal import CTraceFS
internal import Glibc
internal import Synchronization
internal import SystemPackage
internal import TraceFile

/// Looks at the followed processes, on a thread of its own.
///
/// The thread is on the task instance's list of traced threads: its read of `/proc/PID/pagemap` takes the target's
/// mmap_lock, and that event, between two markers that name the pid, tells which mm pointer belongs to which process.
/// For the same reason it does as little as possible: it sleeps in `read` between snapshots, keeps its buffers, and
/// leaves the writing to the caller's thread.
final class Snapshotter: @unchecked Sendable {
  /// Touched by the thread between a request and its answer, by the caller otherwise.
  private var job: Job
  private var file: SnapshotFileWriter
  /// Who continues what is stopped here, should this program be killed; `nil` when nothing is to be stopped.
  private let watchdog: Watchdog?
  /// The trace says whose thread this is.
  private var isAnnounced = false
  private var thread: WorkerThread?
  private let toThread: (read: FileDescriptor, write: FileDescriptor)
  private let fromThread: (read: FileDescriptor, write: FileDescriptor)
  /// Snapshots bracketed in the trace so far; the number of the next one.
  private(set) var count = 0
  /// Processes that may not be looked at even by root (another user namespace's, or protected by an LSM).
  private(set) var unreadable: Set<Int32> = []

  fileprivate struct Job {
    var pages: ProcessPages
    let marker: FileDescriptor
    let markerPath: String
    var threadID: Int32 = 0
    var index = 0
    var pid: Int32 = 0
    var begin: UInt64 = 0
    var end: UInt64 = 0
    var failure: CaptureError?
    /// Processes whose threads the trace knows: those told here, and every one started under the recording.
    var told: Set<Int32> = []
  }

  /// Starts the thread; with a watchdog, processes are stopped while they are looked at. `markerPath` is the task instance's `trace_marker`; snapshots go to the file at `path`.
  init(
    markerPath: String, stoppingUnder watchdog: Watchdog?, pageSize: Int, file path: String
  ) throws(CaptureError) {
    self.watchdog = watchdog
    do throws(TraceFileError) {
      file = try SnapshotFileWriter(creating: path, pageSize: pageSize, clock: "mono")
    } catch {
      throw .output(error)
    }
    job = Job(
      pages: try ProcessPages(pageSize: pageSize),
      marker: try KernelText.open(markerPath, .writeOnly, doing: "write"), markerPath: markerPath)
    toThread = try Pipe.make(nonBlocking: false)
    fromThread = try Pipe.make(nonBlocking: false)
    thread = try WorkerThread { [self] in serve() }
    awaitAnswer()
  }

  /// The id to put on the list of traced threads.
  var threadID: Int32 { job.threadID }

  /// Says in the trace which thread this is, while it sleeps: what it faulted in before it could say so itself would be
  /// taken for a program's.
  private func announce() throws(CaptureError) {
    guard !isAnnounced else { return }
    try job.mark("cowscope collector \(job.threadID)")
    isAnnounced = true
  }

  /// Takes a snapshot of each process. One that is gone by then leaves an empty bracket in the trace, and nothing in
  /// the file.
  func take(_ pids: [Int32]) throws(CaptureError) {
    try announce()
    for pid in pids where thread != nil && !unreadable.contains(pid) {
      let stopped = watchdog.map { Freezer.stop(pid, under: $0) } ?? false
      let startTime = ProcessStat.startTime(of: pid)
      job.index = count
      job.pid = pid
      job.failure = nil
      send(toThread.write)
      awaitAnswer()
      if stopped, let watchdog { Freezer.continue(pid, under: watchdog) }
      count += 1
      if let failure = job.failure {
        if failure.meansGone { continue }
        guard case .notPrivileged(let path) = failure, path != ProcessPages.flagsPath else { throw failure }
        unreadable.insert(pid)
        continue
      }
      guard let startTime else { continue }
      try append(startTime: startTime, frozen: stopped)
    }
  }

  /// Ends the thread and forces the file to disk.
  func finish() throws(CaptureError) {
    guard let running = thread else { return }
    KernelText.closeQuietly(toThread.write)
    running.join()
    thread = nil
    for descriptor in [toThread.read, fromThread.read, fromThread.write, job.marker] {
      KernelText.closeQuietly(descriptor)
    }
    job.pages.close()
    do throws(TraceFileError) {
      try file.finish()
    } catch {
      throw .output(error)
    }
  }

  private func append(startTime: UInt64, frozen: Bool) throws(CaptureError) {
    let pages = job.pages
    var snapshot = Snapshot(
      index: UInt32(job.index), pid: job.pid, processStartTime: startTime, beginTime: job.begin, endTime: job.end,
      wasFrozen: frozen, pageTableBytes: pages.pageTableBytes,
      vmas: String(decoding: pages.maps, as: UTF8.self).split(separator: "\n").compactMap { SnapshotVMA(mapsLine: $0) },
      pages: [])
    snapshot.pages.reserveCapacity(pages.pagemap.count)
    for run in pages.runs {
      for step in 0..<run.count {
        snapshot.pages.append(
          SnapshotPage(
            virtualPage: run.firstPage + UInt64(step), pagemap: pages.pagemap[run.offset + step],
            pageFlags: pages.flags[run.offset + step]))
      }
    }
    do throws(TraceFileError) {
      try file.append(snapshot)
    } catch {
      throw .output(error)
    }
  }

  // On the thread

  private func serve() {
    job.threadID = WorkerThread.currentID
    send(fromThread.write)
    while receive(toThread.read) {
      do throws(CaptureError) {
        try job.run()
      } catch {
        job.failure = error
      }
      send(fromThread.write)
    }
  }

  private func send(_ pipe: FileDescriptor) {
    var byte: UInt8 = 1
    while unsafe write(pipe.rawValue, &byte, 1) < 0 && Glibc.errno == EINTR {}
  }

  private func receive(_ pipe: FileDescriptor) -> Bool {
    var byte: UInt8 = 0
    while true {
      let count = unsafe read(pipe.rawValue, &byte, 1)
      if count < 0 && Glibc.errno == EINTR { continue }
      return count == 1
    }
  }

  private func awaitAnswer() { _ = receive(fromThread.read) }
}

extension Snapshotter.Job {
  /// Reads the process between two markers.
  fileprivate mutating func run() throws(CaptureError) {
    begin = Self.monotonicNanoseconds()
    try tellThreads()
    try mark("cowscope snapshot begin \(index) \(pid)")
    do throws(CaptureError) {
      try pages.read(pid: pid)
    } catch {
      try mark("cowscope snapshot end \(index) \(pid)")
      throw error
    }
    try mark("cowscope snapshot end \(index) \(pid)")
    end = Self.monotonicNanoseconds()
  }

  /// Threads that were there before the recording share their process's mm, which only its id leads to.
  private mutating func tellThreads() throws(CaptureError) {
    guard told.insert(pid).inserted, let threads = try? FollowedTree.threads(of: pid), threads.count > 1 else { return }
    // A marker holds about a page on new kernels, 1 KiB on old ones.
    for start in stride(from: 0, to: threads.count, by: 80) {
      let some = threads[start..<min(start + 80, threads.count)].map(String.init).joined(separator: " ")
      try mark("cowscope threads \(pid) \(some)")
    }
  }

  fileprivate func mark(_ text: String) throws(CaptureError) {
    do {
      _ = try marker.writeAll(text.utf8)
    } catch {
      throw .file(path: markerPath, doing: "write", KernelText.errno(error))
    }
  }

  private static func monotonicNanoseconds() -> UInt64 {
    var now = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
  }
}
