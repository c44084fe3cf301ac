// SPDX-License-Identifier: GPL-2.0-only

/// Appends snapshots to `snapshots.bin`; the layout is told at `SnapshotFile`.
package struct SnapshotFileWriter: ~Copyable {
  private var output: OutputFile
  /// Snapshots written so far.
  package private(set) var count = 0

  /// Creates the file. `clock` names the clock of the begin and end times, at most 15 bytes.
  package init(creating path: String, pageSize: Int, clock: String) throws(TraceFileError) {
    var file = try OutputFile(creating: path)
    var header = ByteWriter()
    header.append("cowsnap\0")
    header.append(SnapshotFile.version)
    header.append(UInt32(pageSize))
    var name = Array(clock.utf8.prefix(SnapshotFile.clockBytes - 1))
    name += [UInt8](repeating: 0, count: SnapshotFile.clockBytes - name.count)
    header.append(raw: name)
    try file.write(header.bytes)
    output = file
  }

  package mutating func append(_ snapshot: Snapshot) throws(TraceFileError) {
    let body = Self.body(snapshot)
    var record = ByteWriter()
    record.append(SnapshotFile.snapshotMagic)
    record.append(UInt64(body.count))
    record.append(raw: body)
    try output.write(record.bytes)
    count += 1
  }

  /// Forces everything to disk.
  package mutating func finish() throws(TraceFileError) { try output.finish() }

  private static func body(_ snapshot: Snapshot) -> [UInt8] {
    var out = ByteWriter()
    out.reserve(64 + snapshot.vmas.count * 96 + snapshot.pages.count * 17)
    out.append(snapshot.index)
    out.append(snapshot.pid)
    out.append(snapshot.processStartTime)
    out.append(snapshot.beginTime)
    out.append(snapshot.endTime)
    out.append(UInt8(snapshot.wasFrozen ? 1 : 0))
    out.append(UInt32(snapshot.vmas.count))
    for vma in snapshot.vmas {
      out.append(vma.start)
      out.append(vma.end)
      out.append(
        UInt8(
          (vma.isReadable ? 1 : 0) | (vma.isWritable ? 2 : 0) | (vma.isExecutable ? 4 : 0) | (vma.isShared ? 8 : 0)))
      out.append(vma.kind.rawValue)
      out.append(vma.offset)
      out.append(vma.device)
      out.append(vma.inode)
      let name = Array(vma.name.utf8.prefix(Int(UInt16.max)))
      out.append(UInt16(name.count))
      out.append(raw: name)
    }
    let runs = runs(snapshot.pages)
    out.append(UInt32(runs.count))
    for run in runs {
      out.append(snapshot.pages[run.lowerBound].virtualPage)
      out.append(UInt32(run.count))
      for page in snapshot.pages[run] {
        out.append(page.pagemap)
        out.append(page.pageFlags)
      }
    }
    out.append(snapshot.pageTableBytes ?? .max)
    return out.bytes
  }

  /// Ranges of `pages` whose virtual pages follow each other.
  private static func runs(_ pages: [SnapshotPage]) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    var start = 0
    for index in pages.indices.dropFirst()
    where pages[index].virtualPage != pages[index - 1].virtualPage &+ 1 || index - start == Int(UInt32.max) {
      runs.append(start..<index)
      start = index
    }
    if !pages.isEmpty { runs.append(start..<pages.count) }
    return runs
  }
}
