// SPDX-License-Identifier: GPL-2.0-only

/// What a capture is called by what it holds, wherever it lies.
///
/// Of a file it is what `sha256sum` prints. Of a directory it is the same of what `sha256sum` prints of the files that a
/// reader looks at, in the order of their names:
///
///     cd X && sha256sum capture.json snapshots.bin trace.dat | sha256sum
package enum ContentHash {
  package static func of(_ path: String) throws(TraceFileError) -> String {
    guard TraceFile.isDirectory(path) else { return try hash(of: path) }
    var list = ""
    for name in names(in: path) { list += "\(try hash(of: path + "/" + name))  \(name)\n" }
    guard !list.isEmpty else { throw TraceFileError(file: path, offset: nil, reason: .notATrace) }
    var hash = SHA256()
    hash.add(Array(list.utf8))
    return hash.text()
  }

  /// Those of a finished recording, and what one that died left; not the result of a replay.
  private static func names(in path: String) -> [String] {
    let files = ["capture.json", "header.dat", "incomplete", "snapshots.bin", "trace.dat"]
    let raw = DirectoryListing.names(in: path + "/raw").filter(CaptureDirectory.isOurs(rawFile:)).map { "raw/" + $0 }
    return (files.filter { TraceFile.exists(path + "/" + $0) } + raw).sorted {
      $0.utf8.lexicographicallyPrecedes($1.utf8)
    }
  }

  private static func hash(of file: String) throws(TraceFileError) -> String {
    let region = try ByteRegion(mapping: file)
    region.willReadSequentially(0..<region.count)
    var hash = SHA256()
    for start in stride(from: 0, to: region.count, by: piece) {
      let range = start..<min(start + piece, region.count)
      unsafe hash.add(region.bytes(range).bytes)
      region.willNotRead(range)
    }
    return hash.text()
  }

  private static let piece = 16 << 20
}
