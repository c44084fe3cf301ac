// SPDX-License-Identifier: GPL-2.0-only

internal import CTraceFS
internal import Glibc
internal import SystemPackage

/// A thread of the recorder.
///
/// Plain pthreads instead of Swift tasks: drains block in `poll` for the whole recording, and the snapshot thread's id
/// is put on the kernel's list of traced tasks, so it has to be one known thread.
final class WorkerThread {
  private var handle = pthread_t()

  /// Starts `body` on a new thread that leaves signals to the main thread.
  init(_ body: @escaping @Sendable () -> Void) throws(CaptureError) {
    var all = sigset_t()
    var inherited = sigset_t()
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_SETMASK, &all, &inherited)
    let box = unsafe Unmanaged.passRetained(Body(body))
    let failure = unsafe pthread_create(
      &handle, nil,
      { argument in
        if let argument = unsafe argument { unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, box.toOpaque())
    unsafe pthread_sigmask(SIG_SETMASK, &inherited, nil)
    if failure != 0 {
      unsafe box.release()
      throw .file(path: "a thread", doing: "create", .init(rawValue: failure))
    }
  }

  /// Waits for the thread's end.
  func join() { pthread_join(handle, nil) }

  /// The kernel's id of the calling thread.
  static var currentID: Int32 { thread_id() }

  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
