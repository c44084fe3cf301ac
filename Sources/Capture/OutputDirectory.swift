// SPDX-License-Identifier: GPL-2.0-only

internal import CTraceFS
internal import Glibc
package import TraceFile

/// `NAME.cow/` while it is being written.
///
/// The lock on the directory (`flock`) says whose it is, from before its first file to the end of the recorder however
/// that comes; a pid would not: another pid namespace has it too. An observer can tell the states apart: `incomplete`
/// stands in it nearly from the first moment to the last, and while it does, `raw/` holds the sub-buffers drained so
/// far; without it everything is final.
package final class OutputDirectory {
  package let path: String
  private let lock: DirectoryLock
  /// Where the capture went that had this name.
  private var rotated: String?

  /// Makes the directory, moving the capture that had its name to `NAME.old` (and removing the one that had that name).
  ///
  /// Nothing but a capture of ours that no recorder is writing is moved or removed; everything else is refused.
  package init(creating name: String, manifest: CaptureManifest) throws(CaptureError) {
    var path = name
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path
    while true {
      if unsafe mkdir(path, 0o700) != 0, Glibc.errno != EEXIST { throw .lastCall(path, "create") }
      guard let lock = try Self.claim(path) else { continue }
      if DirectoryListing.names(in: path).isEmpty {
        // Whoever has the lock of an empty directory has the directory: there is nothing in it to lose. But its owner
        // could put links where files are going to be.
        guard lock.isOwnedByUs else { throw .invalid("\(path): belongs to another user") }
        self.lock = lock
        break
      }
      rotated = try Self.rotate(path, lock)
    }
    do throws(TraceFileError) {
      // The manifest is first: it alone proves to the next recorder that this is a capture.
      try manifest.write(CaptureDirectory(path).manifestPath)
      try OutputFile.replace(CaptureDirectory(path).incompletePath, with: [])
    } catch {
      throw .output(error)
    }
    if unsafe mkdir(path + "/raw", 0o700) != 0 { throw .lastCall(path + "/raw", "create") }
  }

  package func rawFile(_ buffer: TraceBuffer, cpu: Int) -> String {
    CaptureDirectory(path).rawPath(buffer: buffer.rawValue, cpu: cpu)
  }

  /// Removes `raw/` and `header.dat`, whose content is in trace.dat now, and last the mark of incompleteness.
  package func complete() throws(CaptureError) {
    try OldCapture(lock, path).remove { name in name == "raw" || name == "header.dat" }
    try OldCapture(lock, path).remove { name in name == "incomplete" }
  }

  /// Removes the directory of a recording that never began, and gives its name back to the capture that had it.
  package func discard() {
    do {
      try OldCapture(lock, path).removeAll()
    } catch {
      return  // What cannot be removed is marked as incomplete.
    }
    if let rotated { unsafe rename(rotated, path) }
  }

  /// Removes a capture of ours that nobody is writing.
  package static func remove(_ path: String) throws(CaptureError) {
    guard let lock = try claim(path) else { return }
    guard isCapture(path) else { throw .invalid("\(path): is not a capture of cowscope") }
    try OldCapture(lock, path).removeAll()
  }

  /// The lock of a directory, `nil` when there is none.
  private static func claim(_ path: String) throws(CaptureError) -> DirectoryLock? {
    switch DirectoryLock.take(path) {
    case .taken(let lock): return lock
    case .busy: throw .invalid("\(path): in use by another recorder")
    case .gone: return nil
    case .failed(let code): throw .file(path: path, doing: "use as a capture", code)
    }
  }

  /// Moves the capture at `path`, whose lock is held, to `path.old`, and says so.
  private static func rotate(_ path: String, _ lock: DirectoryLock) throws(CaptureError) -> String {
    guard isCapture(path) else {
      throw .invalid("\(path): exists and is not a capture of cowscope; give another name with -o")
    }
    let old = path + ".old"
    if let older = try claim(old) {
      guard isCapture(old) else {
        throw .invalid("\(old): is in the way and is not a capture of cowscope; remove or rename it")
      }
      try OldCapture(older, old).removeAll()
    }
    if unsafe rename(path, old) != 0 { throw .lastCall(path, "rename to \(old)") }
    return old
  }

  /// A manifest of ours is the proof.
  private static func isCapture(_ path: String) -> Bool {
    do {
      return try CaptureManifest.read(CaptureDirectory(path).manifestPath).isOurs
    } catch {
      return false
    }
  }
}

/// The files of a capture, removed by name: those that we write, and nothing else. Every step goes from the locked
/// directory, so that no link leads elsewhere.
private struct OldCapture {
  let lock: DirectoryLock
  let path: String

  init(_ lock: DirectoryLock, _ path: String) {
    self.lock = lock
    self.path = path
  }

  /// Removes all of it, or nothing where there is something that we did not write.
  func removeAll() throws(CaptureError) {
    for name in DirectoryListing.names(in: path) where !CaptureDirectory.isOurs(file: name) && name != "raw" {
      throw foreign(name)
    }
    for name in DirectoryListing.names(in: path + "/raw") where !CaptureDirectory.isOurs(rawFile: name) {
      throw foreign("raw/" + name)
    }
    // The proof is the last to go.
    try remove { $0 != "capture.json" }
    try remove { _ in true }
    if unsafe rmdir(path) != 0 { throw .lastCall(path, "remove") }
  }

  func remove(where chosen: (String) -> Bool) throws(CaptureError) {
    for name in DirectoryListing.names(in: path) where chosen(name) {
      if name == "raw" {
        try removeRaw()
      } else if unsafe unlinkat(lock.rawDescriptor, name, 0) != 0 {
        throw .lastCall("\(path)/\(name)", "remove")
      }
    }
  }

  private func removeRaw() throws(CaptureError) {
    let raw = unsafe openat(lock.rawDescriptor, "raw", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard raw >= 0 else { throw .lastCall(path + "/raw", "remove") }
    defer { close(raw) }
    for name in DirectoryListing.names(in: path + "/raw") where unsafe unlinkat(raw, name, 0) != 0 {
      throw .lastCall("\(path)/raw/\(name)", "remove")
    }
    if unsafe unlinkat(lock.rawDescriptor, "raw", AT_REMOVEDIR) != 0 { throw .lastCall(path + "/raw", "remove") }
  }

  private func foreign(_ name: String) -> CaptureError {
    .invalid("\(path): holds \(name), which no recording wrote; remove or rename it")
  }
}
