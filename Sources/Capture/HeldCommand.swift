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

  /// Forks the child. `arguments` is the command and its arguments; it is looked up in `PATH`. Without a user it runs
  /// as this program does.
  package static func fork(_ arguments: [String], as user: CommandUser? = nil) throws(CaptureError) -> HeldCommand {
    guard let name = arguments.first else { throw .invalid("there is no command to run") }
    let (gateRead, gateWrite) = try Pipe.make(nonBlocking: false)
    let (reportRead, reportWrite) = try Pipe.make(nonBlocking: false)
    defer {
      KernelText.closeQuietly(gateRead)
      KernelText.closeQuietly(reportWrite)
    }
    let words = CStrings(arguments)
    let variables = CStrings(environment(of: user))
    let groups = user?.groups ?? []
    let child = unsafe groups.withUnsafeBufferPointer { groups in
      var identity = unsafe command_identity(
        user: user?.id ?? 0, group: user?.group ?? 0, groups: groups.baseAddress, group_count: groups.count)
      return unsafe withUnsafePointer(to: &identity) { identity in
        unsafe held_command_fork(
          words.pointers, variables.pointers, user == nil ? nil : identity, gateRead.rawValue, gateWrite.rawValue,
          reportWrite.rawValue)
      }
    }
    let failure = Errno(rawValue: Glibc.errno)
    guard child > 0 else {
      KernelText.closeQuietly(gateWrite)
      KernelText.closeQuietly(reportRead)
      throw .command(name: name, failure)
    }
    return HeldCommand(pid: child, name: name, gate: gateWrite, report: reportRead)
  }

  /// `NAME=VALUE` of this program, with what is different for the user.
  private static func environment(of user: CommandUser?) -> [String] {
    var lines: [String] = []
    var next = unsafe process_environment()
    while let line = unsafe next?.pointee {
      unsafe lines.append(String(cString: line))
      unsafe next = next?.successor()
    }
    guard let user else { return lines }
    lines.removeAll { line in line.firstIndex(of: "=").map { user.environment[String(line[..<$0])] != nil } ?? false }
    return lines + user.environment.map { "\($0.key)=\($0.value)" }.sorted()
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

/// A null-terminated array of C strings.
@safe private final class CStrings {
  private(set) var pointers: [UnsafeMutablePointer<CChar>?]

  init(_ strings: [String]) {
    unsafe pointers = strings.map { unsafe strdup($0) }
    unsafe pointers.append(nil)
  }

  deinit { unsafe pointers.forEach { unsafe free($0) } }
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
