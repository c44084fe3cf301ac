// SPDX-License-Identifier: GPL-2.0-only

internal import CTraceFS
internal import Glibc
internal import SystemPackage

/// The process that tidies up after a recorder that was killed (`watchdog.h`): it continues the process that was
/// stopped, and removes the instances and the probes.
///
/// It learns of the recorder's end by the end of the pipe between them, whose other end the kernel closes.
final class Watchdog: Sendable {
  let pid: Int32
  private let pipe: FileDescriptor

  /// Forks it. To be done before there are threads, locks and files to inherit.
  init() throws(CaptureError) {
    let (readEnd, writeEnd) = try Pipe.make(nonBlocking: false)
    defer { KernelText.closeQuietly(readEnd) }
    pid = watchdog_fork(readEnd.rawValue)
    pipe = writeEnd
    if pid < 0 { throw .lastCall("the watchdog", "fork") }
  }

  /// As good as the end of the recorder: what is left is the watchdog's now. Nobody waits for it, for it may have to wait
  /// for what this process has open yet.
  deinit { KernelText.closeQuietly(pipe) }

  /// The instance goes with the recorder. To be said before it is made.
  func removes(_ instance: String) {
    tell(WATCHDOG_INSTANCE) { Self.copy(instance, to: &$0.path) }
  }

  /// The probe `GROUP/NAME` goes with the recorder, once its instances are gone. To be said before it is made.
  func removes(probe: String, from dynamicEvents: String) {
    tell(WATCHDOG_PROBE) { message in
      Self.copy(dynamicEvents, to: &message.path)
      Self.copy("-:" + probe, to: &message.probe)
    }
  }

  private static func copy<Text>(_ text: String, to field: inout Text) {
    unsafe withUnsafeMutableBytes(of: &field) { bytes in unsafe bytes.copyBytes(from: text.utf8.prefix(bytes.count - 1))
    }
  }

  /// To be said before the signal is sent.
  func continues(_ process: Int32) { tell(WATCHDOG_STOPS) { $0.pid = process } }

  /// To be said after the process was continued.
  func forgets() { tell(WATCHDOG_CONTINUED) { _ in } }

  /// Nothing is left that it would have to do.
  func dismiss() {
    tell(WATCHDOG_DISMISSED) { _ in }
    while waitpid(pid, nil, 0) < 0 && errno == EINTR {}
  }

  /// A watchdog that somebody killed is no reason to end a recording.
  private func tell(_ kind: watchdog_message_kind, _ fill: (inout watchdog_message) -> Void) {
    var message = watchdog_message()
    message.kind = Int32(kind.rawValue)
    fill(&message)
    do { _ = unsafe try withUnsafeBytes(of: &message) { unsafe try pipe.writeAll($0) } } catch {}
  }
}
