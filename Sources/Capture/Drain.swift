// SPDX-License-Identifier: GPL-2.0-only

internal import CTraceFS
internal import Glibc
internal import Synchronization
internal import SystemPackage

/// Moves one CPU's sub-buffers of one instance into a file.
///
/// `splice` hands out only sub-buffers that the writer has left, so no partly filled one reaches the file before the
/// end; `read` on a live buffer would return every sub-buffer as soon as it holds one event, and store many times the
/// bytes of the events.
package final class BufferDrain {
  package let buffer: TraceBuffer
  package let cpu: Int
  package private(set) var bytesWritten = 0
  package let path: String
  let source: FileDescriptor
  private let sourcePath: String
  private let destination: FileDescriptor
  private let pipeRead: FileDescriptor
  private let pipeWrite: FileDescriptor
  private let subBufferSize: Int
  private let batch: Int

  /// `source` is `per_cpu/cpuN/trace_pipe_raw`; the file at `path` is created.
  package init(
    buffer: TraceBuffer, cpu: Int, source sourcePath: String, subBufferSize: Int, path: String
  ) throws(CaptureError) {
    self.buffer = buffer
    self.cpu = cpu
    self.path = path
    self.sourcePath = sourcePath
    self.subBufferSize = subBufferSize
    (pipeRead, pipeWrite) = try Pipe.make(nonBlocking: true)
    do throws(CaptureError) {
      source = try KernelText.open(sourcePath, .readOnly, [.nonBlocking], doing: "read")
    } catch {
      for descriptor in [pipeRead, pipeWrite] { KernelText.closeQuietly(descriptor) }
      throw error
    }
    do {
      destination = try FileDescriptor.open(
        FilePath(path), .writeOnly, options: [.create, .truncate, .closeOnExec],
        permissions: .ownerReadWrite)
    } catch {
      // One that stays open keeps the instance from being removed.
      for descriptor in [source, pipeRead, pipeWrite] { KernelText.closeQuietly(descriptor) }
      throw .file(path: path, doing: "create", KernelText.errno(error))
    }
    // One pipe slot holds one sub-buffer, a default pipe has 16 slots: 4 MiB of 4 KiB pages is 1024 slots.
    let size = pipe_set_size(pipeWrite.rawValue, 1 << 20)
    let slots = max(16, Int(size) / 4096)
    batch = min(slots, 64) * subBufferSize
  }

  deinit {
    for descriptor in [source, destination, pipeRead, pipeWrite] { KernelText.closeQuietly(descriptor) }
  }

  /// Moves all sub-buffers the writer has left. Returns when none is left.
  package func moveFullSubBuffers() throws(CaptureError) {
    while true {
      let moved = splice_nonblocking(source.rawValue, pipeWrite.rawValue, batch)
      if moved == 0 { return }
      if moved < 0 {
        switch Glibc.errno {
        case EAGAIN: return
        case EINTR: continue
        case let code: throw .file(path: sourcePath, doing: "read", Errno(rawValue: code))
        }
      }
      try emptyPipe(moved)
    }
  }

  private func emptyPipe(_ count: Int) throws(CaptureError) {
    var left = count
    while left > 0 {
      let written = splice_blocking(pipeRead.rawValue, destination.rawValue, left)
      if written > 0 {
        left -= written
        bytesWritten += written
      } else if written < 0 && Glibc.errno == EINTR {
        continue
      } else {
        throw .file(path: path, doing: "write", Errno(rawValue: written == 0 ? EIO : Glibc.errno))
      }
    }
  }

  /// After tracing stopped: the full sub-buffers, then the last one, which only `read` gives.
  package func finish() throws(CaptureError) {
    try moveFullSubBuffers()
    var page = [UInt8](repeating: 0, count: subBufferSize)
    while true {
      do {
        let count = unsafe try page.withUnsafeMutableBytes { unsafe try source.read(into: $0, retryOnInterrupt: true) }
        if count == 0 { return }
        // A short read leaves the rest of a sub-buffer out; the file stays a sequence of whole ones.
        let whole = page.prefix(count) + [UInt8](repeating: 0, count: subBufferSize - count)
        bytesWritten += try destination.writeAll(whole)
      } catch {
        switch KernelText.errno(error) {
        case .resourceTemporarilyUnavailable: return
        case let code: throw .file(path: sourcePath, doing: "copy", code)
        }
      }
    }
  }
}

/// The thread that drains one CPU's buffers of all instances until it is told to finish.
package final class CPUDrain: @unchecked Sendable {
  // The drains are touched only by the thread between `start` and `finish`, and only by the caller outside of that.
  private let drains: [BufferDrain]
  private let stop: WakeUp
  private let failed: WakeUp
  private var thread: WorkerThread?
  private let failure = Mutex<CaptureError?>(nil)

  /// `failed` is signalled when a drain could not go on, for the main thread to end the recording.
  package init(_ drains: [BufferDrain], failed: WakeUp) throws(CaptureError) {
    self.drains = drains
    self.failed = failed
    stop = try WakeUp()
  }

  package func start() throws(CaptureError) {
    thread = try WorkerThread { [self] in
      do throws(CaptureError) {
        try run()
      } catch {
        failure.withLock { $0 = error }
        failed.signal()
      }
    }
  }

  /// Ends the thread and empties the buffers, which must be stopped. Throws what went wrong at any time.
  package func finish() throws(CaptureError) -> [BufferDrain] {
    cancel()
    try throwIfFailed()
    for drain in drains { try drain.finish() }
    return drains
  }

  /// Ends the thread and leaves what is in the buffers.
  package func cancel() {
    stop.signal()
    thread?.join()
    thread = nil
  }

  /// Throws what made the thread give up, if it did.
  package func throwIfFailed() throws(CaptureError) {
    if let error = failure.withLock({ $0 }) { throw error }
  }

  private func run() throws(CaptureError) {
    // What is recorded may want every CPU. The command does not inherit it: it is this thread's alone. Without
    // CAP_SYS_NICE the drain has to get along with the priority it has.
    _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(WorkerThread.currentID), -20)
    var descriptors = drains.map { pollfd(fd: $0.source.rawValue, events: Int16(POLLIN), revents: 0) }
    descriptors.append(pollfd(fd: stop.readEnd.rawValue, events: Int16(POLLIN), revents: 0))
    while true {
      // The kernel wakes us at buffer_percent; the timeout bounds what a killed recorder loses.
      _ = unsafe poll(&descriptors, nfds_t(descriptors.count), 200)
      for drain in drains { try drain.moveFullSubBuffers() }
      if descriptors[descriptors.count - 1].revents != 0 { return }
    }
  }
}
