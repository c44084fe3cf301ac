// SPDX-License-Identifier: GPL-2.0-only

internal import FoundationEssentials

/// Where the files are that come with the program.
package enum BundledFiles {
  /// `share/cowscope/NAME` beside the directory of the program when it is installed, else `fixtures/NAME` in the nearest
  /// directory above the program that has one (a build directory), else above the current directory. `nil` when there is
  /// none.
  package static func directory(_ name: String) -> String? {
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    let installed = program.deletingLastPathComponent().appendingPathComponent("share/cowscope/\(name)").path
    if SourceFile.isDirectory(installed) { return installed }
    return nearest("fixtures/\(name)", above: program)
      ?? nearest("fixtures/\(name)", above: URL(fileURLWithPath: FileManager.default.currentDirectoryPath))
  }

  private static func nearest(_ name: String, above start: URL) -> String? {
    var place = start.standardizedFileURL
    while true {
      let candidate = place.appendingPathComponent(name).path
      if SourceFile.isDirectory(candidate) { return candidate }
      if place.path == "/" { return nil }
      place = place.deletingLastPathComponent()
    }
  }
}
