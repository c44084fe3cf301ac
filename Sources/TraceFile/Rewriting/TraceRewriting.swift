// SPDX-License-Identifier: GPL-2.0-only

/// What a trace.dat that is written anew has instead of the old one's.
package struct TraceRewriting: Sendable {
  /// Events whose formats are kept.
  package var keepsFormat: @Sendable (_ system: String, _ name: String) -> Bool
  /// Of the buffers, the top-level one excepted.
  package var bufferName: @Sendable (String) -> String
  /// `uname`, as an option has it.
  package var uname: String?
  package var recorder: String?
  /// Lines of a pid and a name.
  package var savedCommands: [UInt8] = []

  package init(
    keepsFormat: @escaping @Sendable (_ system: String, _ name: String) -> Bool,
    bufferName: @escaping @Sendable (String) -> String
  ) {
    self.keepsFormat = keepsFormat
    self.bufferName = bufferName
  }

  /// Records that were left out, by CPU of a buffer.
  package struct LeftOut: Equatable, Sendable {
    package var buffer: Int
    package var cpu: UInt16
    package var records: UInt64
  }
}

extension TraceReader {
  /// Writes the trace as a trace.dat of version 6: every record with its time and length, and the payload that
  /// `transform` makes of zeros; those of which it says `false` are left out. Of the old file nothing is copied but the
  /// formats that are kept.
  ///
  /// Throws where something cannot be read or has no place in such a file.
  package func rewrite(
    to path: String, _ rewriting: TraceRewriting,
    transform: (RawRecord, UnsafeMutableRawBufferPointer) -> Bool
  ) throws(TraceFileError) -> [TraceRewriting.LeftOut] {
    let contents = try rewritable()
    let cpuCount = max(
      contents.metadata.cpuCount ?? 0, (contents.buffers.flatMap(\.cpus).map { Int($0.cpu) + 1 }.max() ?? 0))
    guard let layout = contents.buffers.first?.layout else { throw refusal("a trace without buffers") }
    var writer = TraceDatWriter(
      headerPage: Array(layout.headerPage.utf8), headerEvent: Array(SubBufferLayout.headerEvent.utf8),
      ftraceFormats: [], subsystems: [], cpuCount: cpuCount, subBufferSize: layout.size,
      clock: contents.buffers[0].clock)
    for format in formats.texts(where: rewriting.keepsFormat) { writer.add(format.text, of: format.system) }
    writer.savedCmdlines = rewriting.savedCommands
    (writer.uname, writer.recorder, writer.time) = (rewriting.uname, rewriting.recorder, contents.timeConversion)
    let sizes = contents.buffers.map { buffer in
      var row = [UInt64](repeating: 0, count: cpuCount)
      for data in buffer.cpus { row[Int(data.cpu)] = UInt64(data.storage.byteCount) }
      return row
    }
    var leftOut: [TraceRewriting.LeftOut] = []
    let names = contents.buffers.map { $0.name.isEmpty ? "" : rewriting.bufferName($0.name) }
    try writer.write(to: path, names: names, sizes: sizes) { (index, cpu, output) throws(TraceFileError) in
      guard let data = contents.buffers[index].cpus.first(where: { $0.cpu == cpu }) else { return }
      let records = try unsafe rewrite(data, UInt8(index), layout, to: &output, transform)
      if records > 0 { leftOut.append(.init(buffer: index, cpu: data.cpu, records: records)) }
    }
    return leftOut
  }

  /// What is whole and can be told in version 6.
  private func rewritable() throws(TraceFileError) -> TraceContents {
    guard lines == nil else { throw refusal("ftrace text: the trace.dat that it was printed from can be") }
    if let damage = contents.damages.first { throw damage }
    if let capture, !capture.isFinished { throw refusal("a capture whose recording has not ended") }
    guard contents.metadata.longSize == 8, !contents.metadata.isBigEndian else {
      throw refusal("a trace of another byte order or size of long than that of 64-bit little-endian machines")
    }
    guard let first = contents.buffers.first, first.name.isEmpty else {
      throw refusal("a trace whose top-level buffer is not the first")
    }
    for buffer in contents.buffers {
      guard buffer.layout == first.layout, buffer.layout.commitSize == 8, !buffer.layout.isBigEndian else {
        throw refusal("a trace with sub-buffers of several layouts")
      }
      guard buffer.clock == first.clock else { throw refusal("a trace with several clocks") }
      guard Set(buffer.cpus.map(\.cpu)).count == buffer.cpus.count else { throw refusal("a trace with a CPU twice") }
    }
    return contents
  }

  private func refusal(_ what: String) -> TraceFileError {
    TraceFileError(file: name, offset: nil, reason: .unsupported("rewriting \(what)"))
  }

  /// The number of records left out.
  private func rewrite(
    _ data: CPUData, _ buffer: UInt8, _ layout: SubBufferLayout, to output: inout OutputFile,
    _ transform: (RawRecord, UnsafeMutableRawBufferPointer) -> Bool
  ) throws(TraceFileError) -> UInt64 {
    let records = UnsafeMutableBufferPointer<RawRecord>.allocate(capacity: layout.maximumRecords)
    defer { unsafe records.deallocate() }
    var leftOut: UInt64 = 0
    func pieces(_ region: ByteRegion, _ range: Range<Int>) throws(TraceFileError) {
      var place = range.lowerBound
      while place < range.upperBound {
        guard place + layout.size <= range.upperBound else {
          throw region.error(at: place, .record(.cut))
        }
        let bytes = unsafe region.bytes(place..<(place + layout.size))
        let content = unsafe SubBuffer.decode(bytes, layout: layout, cpu: data.cpu, buffer: buffer, into: records)
        if let damage = content.damage { throw region.error(at: place + damage.offset, .record(damage.what)) }
        var writer = SubBufferWriter(layout, stamp: UInt64(littleEndian: unsafe bytes.loadUnaligned(as: UInt64.self)))
        for index in 0..<content.count {
          let record = unsafe records[index]
          let isWritten = unsafe writer.append(time: record.timestamp, length: Int(record.length)) {
            unsafe transform(record, $0)
          }
          if !isWritten { leftOut += 1 }
        }
        writer.finish(lostBefore: content.lostBefore)
        try output.write(writer.bytes)
        place += layout.size
      }
    }
    switch data.storage {
    case .raw(let range): try pieces(data.region, range)
    case .chunks(let runs, let compression):
      for run in runs {
        let region = try run.decompress(data.region, compression)
        try pieces(region, 0..<region.count)
      }
    }
    return leftOut
  }
}

extension TraceDatWriter {
  /// Ftrace's own formats stand apart.
  fileprivate mutating func add(_ format: [UInt8], of system: String) {
    if system == "ftrace" {
      ftraceFormats.append(format)
    } else if let index = subsystems.firstIndex(where: { $0.name == system }) {
      subsystems[index].formats.append(format)
    } else {
      subsystems.append(Subsystem(name: system, formats: [format]))
    }
  }
}

extension CPUData.Storage {
  fileprivate var byteCount: Int {
    switch self {
    case .raw(let range): range.count
    case .chunks(let runs, _): runs.reduce(0) { $0 + $1.uncompressedSize }
    }
  }
}

extension SubBufferLayout {
  /// The text of `events/header_page` of a 64-bit kernel with sub-buffers of this layout.
  fileprivate var headerPage: String {
    """
    \tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
    \tfield: local_t commit;\toffset:8;\tsize:\(commitSize);\tsigned:1;
    \tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
    \tfield: char data;\toffset:\(dataOffset);\tsize:\(capacity);\tsigned:1;

    """
  }

  /// The text of `events/header_event`, the same of every kernel.
  fileprivate static let headerEvent = """
    # compressed entry header
    \ttype_len    :    5 bits
    \ttime_delta  :   27 bits
    \tarray       :   32 bits

    \tpadding     : type == 29
    \ttime_extend : type == 30
    \ttime_stamp : type == 31
    \tdata max type_len  == 28

    """
}
