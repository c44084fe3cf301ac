// SPDX-License-Identifier: GPL-2.0-only

internal import Glibc

/// Names in a directory.
package enum DirectoryListing {
  /// The entries of `path` in name order without "." and "..", or none when it cannot be opened: tasks and instances
  /// come and go while they are listed, a capture need not have every directory.
  package static func names(in path: String) -> [String] {
    guard let directory = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}
