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
  private var isPresent = true

  /// Creates the instance `cowscope-PID-ROLE` in the kernel.
  package static func create(role: String, in tracefs: TraceFS) throws(CaptureError) -> TraceInstance {
    let name = "cowscope-\(getpid())-\(role)"
    let directory = tracefs.root + "/instances/" + name
    // libtracefs keeps a copy of the string.
    var root = Array(tracefs.root.utf8CString)
    _ = unsafe root.withUnsafeMutableBufferPointer { unsafe tracefs_set_tracing_dir($0.baseAddress) }
    guard let handle = unsafe tracefs_instance_create(name) else {
      let code = Errno(rawValue: Glibc.errno)
      if code == .permissionDenied || code == .notPermitted { throw .notPrivileged(path: tracefs.root + "/instances") }
      throw .file(path: directory, doing: "create", code)
    }
    unsafe tracefs_instance_free(handle)
    return TraceInstance(adopting: directory, named: name)
  }

  /// Takes over an existing instance directory; removes it like one of ours.
  package init(adopting directory: String, named name: String) {
    self.directory = directory
    self.name = name
  }

  deinit {
    if isPresent { do { try removeFromKernel() } catch {} }
  }

  /// The pid in the name of an instance made by `create`, or `nil` for a foreign instance.
  package static func owner(ofName name: String) -> Int32? {
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "cowscope", parts[2] == "host" || parts[2] == "task" else { return nil }
    return Int32(parts[1])
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
    try write("0", to: "tracing_on")
    try write("0", to: "events/enable")
    // A reader that has just closed its descriptor, or an event being disabled, may hold the instance for a moment.
    for _ in 0..<50 {
      if unsafe rmdir(directory) == 0 || Glibc.errno == ENOENT { return }
      guard Glibc.errno == EBUSY else { break }
      usleep(20_000)
    }
    throw .file(path: directory, doing: "remove", Errno(rawValue: Glibc.errno))
  }
}
