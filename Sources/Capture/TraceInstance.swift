// SPDX-License-Identifier: GPL-2.0-only

internal import CTraceFS
internal import Glibc
internal import SystemPackage

/// One tracefs instance of ours: its own ring buffers, events, clock and pid list, invisible to other tracers.
///
/// Everything a recording sets is set inside such an instance, so removing the instance is the whole of restoring the
/// host. It is removed at the latest when the object goes away.
package final class TraceInstance {
  /// One thing written, in order: what `-v` shows and what the tests check.
  package struct Write: Equatable, Sendable {
    package var file: String
    package var text: String

    package init(file: String, text: String) {
      self.file = file
      self.text = text
    }
  }

  package let name: String
  /// The instance's directory in tracefs.
  package let directory: String
  package private(set) var writes: [Write] = []
  private let lock: DirectoryLock?
  private var isPresent = true

  /// Creates the instance `cowscope-PID-ROLE` in the kernel, and locks it: as long as the lock is held it is ours.
  ///
  /// Another pid namespace may have a recorder of the same pid: then the name is `cowscope-PID.2-ROLE` and so on. One
  /// of that name that nobody holds was left by a killed recorder and is removed first. `announce` gets the directory
  /// before it is made.
  package static func create(
    role: String, in tracefs: TraceFS, announcing announce: (String) -> Void = { _ in }
  ) throws(CaptureError) -> TraceInstance {
    var number = 1
    // Somebody who tidies up may take the lock of what has just been made, and remove it.
    for _ in 0..<100 {
      let name = "cowscope-\(getpid())\(number > 1 ? ".\(number)" : "")-\(role)"
      let directory = tracefs.root + "/instances/" + name
      announce(directory)
      let isNew = try make(name, in: tracefs)
      switch (isNew, DirectoryLock.take(directory)) {
      case (true, .taken(let lock)): return TraceInstance(adopting: directory, named: name, lock: lock)
      case (false, .taken(let lock)):
        try TraceInstance(adopting: directory, named: name, lock: lock).remove()
      case (true, .busy), (_, .gone): usleep(1000)
      case (false, .busy): number += 1
      case (_, .failed(let code)):
        if isNew { unsafe rmdir(directory) }
        throw .file(path: directory, doing: "lock", code)
      }
    }
    throw .file(path: tracefs.root + "/instances", doing: "create an instance", .resourceBusy)
  }

  /// `true` when it was not there before.
  private static func make(_ name: String, in tracefs: TraceFS) throws(CaptureError) -> Bool {
    // libtracefs keeps a copy of the string.
    var root = Array(tracefs.root.utf8CString)
    _ = unsafe root.withUnsafeMutableBufferPointer { unsafe tracefs_set_tracing_dir($0.baseAddress) }
    guard let handle = unsafe tracefs_instance_create(name) else {
      switch Errno(rawValue: Glibc.errno) {
      case .fileExists: return false
      case .permissionDenied, .notPermitted: throw .notPrivileged(path: tracefs.root + "/instances")
      case let code: throw .file(path: "\(tracefs.root)/instances/\(name)", doing: "create", code)
      }
    }
    defer { unsafe tracefs_instance_free(handle) }
    return unsafe tracefs_instance_is_new(handle)
  }

  /// Takes over an instance that a killed recorder left; `nil` when it is somebody's, or gone.
  package static func takeOver(_ name: String, in tracefs: TraceFS) -> TraceInstance? {
    let directory = tracefs.root + "/instances/" + name
    guard isOurs(name), case .taken(let lock) = DirectoryLock.take(directory) else { return nil }
    return TraceInstance(adopting: directory, named: name, lock: lock)
  }

  /// An instance directory that nobody disputes.
  package convenience init(adopting directory: String, named name: String) {
    self.init(adopting: directory, named: name, lock: nil)
  }

  private init(adopting directory: String, named name: String, lock: DirectoryLock?) {
    self.directory = directory
    self.name = name
    self.lock = lock
  }

  deinit {
    if isPresent { do { try removeFromKernel() } catch {} }
  }

  /// Whether `create` makes such names. Whose it is, only its lock tells.
  package static func isOurs(_ name: String) -> Bool { creator(inName: name) != nil }

  /// The pid that its creator had, in its own pid namespace; `nil` for a foreign name.
  package static func creator(inName name: String) -> Int32? {
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "cowscope", TraceBuffer(rawValue: String(parts[2])) != nil else { return nil }
    let numbers = parts[1].split(separator: ".", omittingEmptySubsequences: false).map { Int32($0) }
    guard numbers.count <= 2, numbers.allSatisfy({ $0 ?? 0 > 0 }) else { return nil }
    return numbers[0]
  }

  package func path(_ file: String) -> String { directory + "/" + file }

  package func has(_ file: String) -> Bool { unsafe access(path(file), F_OK) == 0 }

  package func read(_ file: String) throws(CaptureError) -> String { try KernelText.read(path(file)) }

  package func write(_ text: String, to file: String, truncating: Bool = false) throws(CaptureError) {
    writes.append(Write(file: file, text: text))
    try KernelText.write(text, to: path(file), truncating: truncating)
  }

  /// Stops the ring buffers, keeping what is in them.
  package func stop() throws(CaptureError) { try write("0", to: "tracing_on") }

  /// Removes the instance from the kernel: its events are disabled first, so that the tasks of the host stop paying
  /// for them even if something still holds the instance open and it cannot be removed.
  package func remove() throws(CaptureError) {
    guard isPresent else { return }
    try removeFromKernel()
    isPresent = false
  }

  private func removeFromKernel() throws(CaptureError) {
    for file in ["tracing_on", "events/enable"] {
      do { try write("0", to: file) } catch {}  // As without descriptors left; it goes all the same.
    }
    // A reader that has just closed its descriptor, or an event being disabled, may hold the instance for a moment.
    for _ in 0..<50 {
      if unsafe rmdir(directory) == 0 || Glibc.errno == ENOENT { return }
      guard Glibc.errno == EBUSY else { break }
      usleep(20_000)
    }
    throw .file(path: directory, doing: "remove", Errno(rawValue: Glibc.errno))
  }
}
