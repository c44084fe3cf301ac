// SPDX-License-Identifier: GPL-2.0-only

internal import CTraceFS
internal import Glibc
internal import SystemPackage

/// `NAME.cow/` while it is being written.
///
/// An observer can tell the states apart: `incomplete` stands in it from the first moment to the last, and while it
/// does, `raw/` holds the sub-buffers drained so far; without it everything is final.
package struct OutputDirectory: Sendable {
  package let path: String

  /// Makes the directory, moving what had its name to `NAME.old` (and removing what had that name).
  package init(creating path: String) throws(CaptureError) {
    self.path = path
    try Self.rotate(path)
    try Self.makeDirectory(path)
    try Self.createEmpty(path + "/incomplete")
    try Self.makeDirectory(path + "/raw")
  }

  package func file(_ name: String) -> String { path + "/" + name }

  package func rawFile(_ buffer: TraceBuffer, cpu: Int) -> String { "\(path)/raw/\(buffer.rawValue).cpu\(cpu)" }

  /// Removes `raw/` and `header.dat`, whose content is in trace.dat now, and last the mark of incompleteness.
  package func complete() throws(CaptureError) {
    try Self.removeTree(path + "/raw")
    try Self.removeTree(path + "/header.dat")
    try Self.check(unsafe unlink(path + "/incomplete"), path + "/incomplete", "remove")
  }

  /// Removes the directory of a recording that never began. What was rotated away stays there.
  package func discard() {
    do { try Self.removeTree(path) } catch {}
  }

  /// Moves `path` to `path.old` when it exists.
  ///
  /// Only what looks like a capture is ever removed: an older directory without its mark or trace.dat is refused.
  package static func rotate(_ path: String) throws(CaptureError) {
    guard exists(path) else { return }
    guard isCapture(path) else {
      throw .invalid("\(path) exists and is not a capture: give another name with -o")
    }
    let old = path + ".old"
    if exists(old) {
      guard isCapture(old) else { throw .invalid("\(old) is in the way and is not a capture: remove or rename it") }
      try removeTree(old)
    }
    try check(unsafe rename(path, old), path, "rename to \(old):")
  }

  private static func isCapture(_ path: String) -> Bool {
    ["incomplete", "trace.dat", "capture.json"].contains { exists(path + "/" + $0) }
  }

  private static func exists(_ path: String) -> Bool {
    var status = stat()
    return unsafe lstat(path, &status) == 0
  }

  private static func makeDirectory(_ path: String) throws(CaptureError) {
    try check(unsafe mkdir(path, 0o777), path, "create")
  }

  private static func createEmpty(_ path: String) throws(CaptureError) {
    let descriptor = unsafe creat(path, 0o666)
    try check(descriptor, path, "create")
    close(descriptor)
  }

  /// Removes files and one level of directories after another; symbolic links are removed, never followed.
  private static func removeTree(_ path: String) throws(CaptureError) {
    var status = stat()
    try check(unsafe lstat(path, &status), path, "remove")
    guard status.st_mode & S_IFMT == S_IFDIR else {
      try check(unsafe unlink(path), path, "remove")
      return
    }
    for name in DirectoryListing.names(in: path) { try removeTree(path + "/" + name) }
    try check(unsafe rmdir(path), path, "remove")
  }

  private static func check(_ result: Int32, _ path: String, _ doing: String) throws(CaptureError) {
    guard result < 0 else { return }
    let code = Errno(rawValue: errno)
    throw .file(path: path, doing: doing, code)
  }
}
