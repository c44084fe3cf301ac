// SPDX-License-Identifier: GPL-2.0-only

internal import CTraceFS
internal import Glibc
internal import SystemPackage
package import TraceFile

/// The command to record: a child that exists, with a pid that can be followed, but has executed nothing yet.
///
/// It is forked rather than started stopped, because its own `execve` has to be in the trace: before the release it is
/// this program's single-threaded child blocked in `read`, and its first act afterwards is the exec. A recorder that
/// dies before the release closes the gate, and the child leaves without having run anything.
package struct HeldCommand: ~Copyable {
  package let pid: Int32
  package let name: String
  private let gate: FileDescriptor
  private let report: FileDescriptor

  private init(pid: Int32, name: String, gate: FileDescriptor, report: FileDescriptor) {
    self.pid = pid
    self.name = name
    self.gate = gate
    self.report = report
  }

  /// Throws what `execvp` would say about a name that cannot be executed, before anything is set up for it.
  package static func check(_ name: String, path: String) throws(CaptureError) {
    if name.contains("/") {
      guard unsafe access(name, X_OK) == 0 else { throw .command(name: name, Errno(rawValue: Glibc.errno)) }
      return
    }
    let directories = path.split(separator: ":", omittingEmptySubsequences: false).map { $0.isEmpty ? "." : $0 }
    for directory in directories where unsafe access("\(directory)/\(name)", X_OK) == 0 { return }
    throw .command(name: name, .noSuchFileOrDirectory)
  }

  /// Forks the child. `arguments` is the command and its arguments; it is looked up in `PATH`.
  package static func fork(_ arguments: [String]) throws(CaptureError) -> HeldCommand {
    guard let name = arguments.first else { throw .invalid("there is no command to run") }
    let (gateRead, gateWrite) = try Pipe.make(nonBlocking: false)
    let (reportRead, reportWrite) = try Pipe.make(nonBlocking: false)
    defer {
      KernelText.closeQuietly(gateRead)
      KernelText.closeQuietly(reportWrite)
    }
    var strings = unsafe arguments.map { unsafe strdup($0) }
    unsafe strings.append(nil)
    let child = unsafe held_command_fork(&strings, gateRead.rawValue, gateWrite.rawValue, reportWrite.rawValue)
    let failure = Errno(rawValue: Glibc.errno)
    unsafe strings.forEach { unsafe free($0) }
    guard child > 0 else {
      KernelText.closeQuietly(gateWrite)
      KernelText.closeQuietly(reportRead)
      throw .command(name: name, failure)
    }
    return HeldCommand(pid: child, name: name, gate: gateWrite, report: reportRead)
  }

  /// Closes the gate: the child leaves without having executed anything.
  package consuming func abandon() {
    KernelText.closeQuietly(gate)
    KernelText.closeQuietly(report)
    _ = RunningCommand(pid: pid).wait()
  }

  /// Lets the child execute the command, and waits until it has or could not.
  package consuming func release() throws(CaptureError) -> RunningCommand {
    var failure: Int32 = 0
    do {
      _ = try gate.writeAll([1])
      let count = unsafe try withUnsafeMutableBytes(of: &failure) { unsafe try report.read(into: $0) }
      if count == 0 { failure = 0 }
    } catch {
      throw .command(name: name, KernelText.errno(error))
    }
    let command = RunningCommand(pid: pid)
    KernelText.closeQuietly(gate)
    KernelText.closeQuietly(report)
    guard failure == 0 else {
      _ = command.wait()
      throw .command(name: name, Errno(rawValue: failure))
    }
    return command
  }
}

extension CaptureManifest.CommandStatus {
  /// The exit status a shell would report.
  package var shellStatus: Int32 {
    switch self {
    case .exited(let code): code
    case .signaled(let signal): 128 + signal
    }
  }

  /// Decodes the status word of `wait(2)` of a process that has ended.
  package init(waitStatus status: Int32) {
    let signal = status & 0x7f
    self = signal == 0 ? .exited(code: (status >> 8) & 0xff) : .signaled(signal: signal)
  }
}

/// The released command.
package struct RunningCommand: Sendable {
  package let pid: Int32

  /// Its status if it has ended, else `nil`. Reaps it: call until it answers, then no more.
  package func statusIfEnded() -> CaptureManifest.CommandStatus? {
    var status: Int32 = 0
    return unsafe waitpid(pid, &status, WNOHANG) == pid ? CaptureManifest.CommandStatus(waitStatus: status) : nil
  }

  /// Blocks until it has ended.
  package func wait() -> CaptureManifest.CommandStatus {
    var status: Int32 = 0
    while unsafe waitpid(pid, &status, 0) < 0 && Glibc.errno == EINTR {}
    return CaptureManifest.CommandStatus(waitStatus: status)
  }

  /// Asks it to end, as perf does with a command that outlives its recording.
  package func terminate() { kill(pid, SIGTERM) }
}
