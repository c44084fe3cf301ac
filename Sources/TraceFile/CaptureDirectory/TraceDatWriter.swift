// SPDX-License-Identifier: GPL-2.0-only

internal import Glibc

/// Writes trace.dat version 6, which every trace-cmd and KernelShark since 2009 opens. Little endian.
///
///     prefix      magic, "6", endian, long size, sub-buffer size, header_page, header_event, formats, kallsyms,
///                 printk_formats, saved_cmdlines, u32 number of CPUs
///     "options  \0"   {u16 id, u32 size, bytes}..., u16 0
///     "flyrecord\0"   {u64 offset, u64 size} per CPU of the first buffer
///     u64 size, clock
///     per further buffer: "flyrecord\0" and its own table; option BUFFER says where
///     CPU data, each area at a multiple of the sub-buffer size
///
/// Version 6 has one sub-buffer size and one clock for all buffers.
package struct TraceDatWriter: Sendable {
  package struct Subsystem: Sendable {
    package var name: String
    /// The `format` files, as read.
    package var formats: [[UInt8]]

    package init(name: String, formats: [[UInt8]]) {
      self.name = name
      self.formats = formats
    }
  }

  /// `events/header_page` of the *instance* that recorded; the top-level one may speak of another sub-buffer size.
  package var headerPage: [UInt8]
  package var headerEvent: [UInt8]
  /// `events/ftrace/*/format`.
  package var ftraceFormats: [[UInt8]]
  package var subsystems: [Subsystem]
  /// May be empty: without it, trace-cmd prints addresses as numbers.
  package var kallsyms: [UInt8] = []
  package var printkFormats: [UInt8] = []
  package var savedCmdlines: [UInt8] = []
  package var cpuCount: Int
  package var subBufferSize: Int
  package var clock: String
  /// What `uname -a` would print; option UNAME.
  package var uname: String?
  /// Program that recorded; option VERSION.
  package var recorder: String?
  /// From the stamps of the data to nanoseconds; options TSC2NSEC and OFFSET.
  var time = TimeConversion()

  package init(
    headerPage: [UInt8], headerEvent: [UInt8], ftraceFormats: [[UInt8]], subsystems: [Subsystem], cpuCount: Int,
    subBufferSize: Int, clock: String
  ) {
    self.headerPage = headerPage
    self.headerEvent = headerEvent
    self.ftraceFormats = ftraceFormats
    self.subsystems = subsystems
    self.cpuCount = cpuCount
    self.subBufferSize = subBufferSize
    self.clock = clock
  }

  /// The raw sub-buffer files of one buffer.
  package struct BufferFiles: Sendable {
    /// Ignored for the first buffer, which becomes the top-level one.
    package var name: String
    /// Path by CPU number; CPUs without a file have no data.
    package var files: [Int: String]

    package init(name: String, files: [Int: String]) {
      self.name = name
      self.files = files
    }
  }

  /// What `write` could not take along.
  package struct CutTail: Equatable, Sendable {
    package var file: String
    /// Bytes at the end that make no whole sub-buffer.
    package var bytes: Int
  }

  /// Writes the prefix alone: `header.dat` of a capture being recorded.
  package func writeHeader(to path: String) throws(TraceFileError) {
    var output = try OutputFile(creating: path)
    try output.write(prefix())
    try output.finish()
  }

  /// Writes the whole file. The first of `buffers` becomes the top-level buffer.
  package func write(to path: String, buffers: [BufferFiles]) throws(TraceFileError) -> [CutTail] {
    var cut: [CutTail] = []
    var sizes: [[UInt64]] = []
    for buffer in buffers {
      var row = [UInt64](repeating: 0, count: cpuCount)
      for (cpu, file) in buffer.files {
        guard cpu >= 0, cpu < cpuCount else {
          throw TraceFileError(file: file, offset: nil, reason: .badLength("CPU number", UInt64(clamping: cpu)))
        }
        let size = try Self.size(of: file)
        let tail = Int(size % UInt64(subBufferSize))
        if tail > 0 { cut.append(CutTail(file: file, bytes: tail)) }
        row[cpu] = size - UInt64(tail)
      }
      sizes.append(row)
    }
    try write(to: path, names: buffers.map(\.name), sizes: sizes) { (buffer, cpu, output) throws(TraceFileError) in
      guard let file = buffers[buffer].files[cpu] else { return }
      try output.append(contentsOf: file, count: sizes[buffer][cpu])
    }
    return cut
  }

  /// Writes the whole file: `data` is asked for the sub-buffers of each CPU that `sizes`, by buffer and CPU, has bytes
  /// of, and writes exactly so many.
  func write(
    to path: String, names: [String], sizes: [[UInt64]],
    data: (_ buffer: Int, _ cpu: Int, _ output: inout OutputFile) throws(TraceFileError) -> Void
  ) throws(TraceFileError) {
    var output = try OutputFile(creating: path)
    let head = prefix()
    try output.write(head)
    try output.write(tables(names, sizes, start: UInt64(head.count)))
    for (buffer, row) in sizes.enumerated() {
      for cpu in 0..<cpuCount where row[cpu] > 0 {
        try output.pad(toMultipleOf: subBufferSize)
        try data(buffer, cpu, &output)
      }
    }
    try output.finish()
  }

  private func prefix() -> [UInt8] {
    var out = ByteWriter()
    out.append("\u{17}\u{8}Dtracing6\0")
    out.append(UInt8(0))
    out.append(UInt8(8))
    out.append(UInt32(subBufferSize))
    func sized(_ text: [UInt8]) {
      out.append(UInt64(text.count))
      out.append(raw: text)
    }
    out.append("header_page\0")
    sized(headerPage)
    out.append("header_event\0")
    sized(headerEvent)
    out.append(UInt32(ftraceFormats.count))
    for format in ftraceFormats { sized(format) }
    out.append(UInt32(subsystems.count))
    for subsystem in subsystems {
      out.append(subsystem.name + "\0")
      out.append(UInt32(subsystem.formats.count))
      for format in subsystem.formats { sized(format) }
    }
    out.append(UInt32(kallsyms.count))
    out.append(raw: kallsyms)
    out.append(UInt32(printkFormats.count))
    out.append(raw: printkFormats)
    sized(savedCmdlines)
    out.append(UInt32(cpuCount))
    return out.bytes
  }

  /// Options and tables. Their length does not depend on the offsets in them, so they are built twice: once to know
  /// where the data will start.
  private func tables(_ names: [String], _ sizes: [[UInt64]], start: UInt64) -> [UInt8] {
    let draft = tables(names, sizes, start: start, dataStart: 0)
    return tables(names, sizes, start: start, dataStart: start + UInt64(draft.count))
  }

  private func tables(
    _ names: [String], _ sizes: [[UInt64]], start: UInt64, dataStart: UInt64
  ) -> [UInt8] {
    var further = ByteWriter()
    var places: [UInt64] = []
    var data = dataStart
    var first = ByteWriter()
    for (index, row) in sizes.enumerated() {
      var table = ByteWriter()
      table.append("flyrecord\0")
      for size in row {
        if size > 0 { data = (data + UInt64(subBufferSize) - 1) / UInt64(subBufferSize) * UInt64(subBufferSize) }
        table.append(size > 0 ? data : 0)
        table.append(size)
        data += size
      }
      if index == 0 {
        first = table
        first.append(UInt64(clock.utf8.count + 2))
        first.append("[\(clock)]")
      } else {
        places.append(UInt64(further.bytes.count))
        further.append(raw: table.bytes)
      }
    }
    let optionSize = options(names.dropFirst(), places).count
    let furtherStart = start + UInt64(optionSize + first.bytes.count)
    return options(names.dropFirst(), places.map { furtherStart + $0 }) + first.bytes + further.bytes
  }

  private func options(_ further: ArraySlice<String>, _ places: [UInt64]) -> [UInt8] {
    var out = ByteWriter()
    out.append("options  \0")
    func option(_ id: TraceDatOption, _ body: [UInt8]) {
      out.append(id.rawValue)
      out.append(UInt32(body.count))
      out.append(raw: body)
    }
    option(.traceClock, Array("[\(clock)]".utf8))
    if let uname { option(.uname, Array(uname.utf8) + [0]) }
    if let recorder { option(.version, Array(recorder.utf8) + [0]) }
    var count = ByteWriter()
    count.append(UInt32(cpuCount))
    option(.cpuCount, count.bytes)
    if time.offset != 0 { option(.offset, Array("\(time.offset)".utf8) + [0]) }
    if time.multiplier != 0 {
      var body = ByteWriter()
      body.append(time.multiplier)
      body.append(time.shift)
      body.append(UInt64(0))
      option(.tsc2nsec, body.bytes)
    }
    for (name, place) in zip(further, places) {
      var body = ByteWriter()
      body.append(place)
      body.append(name + "\0")
      option(.buffer, body.bytes)
    }
    out.append(TraceDatOption.done.rawValue)
    return out.bytes
  }

  private static func size(of path: String) throws(TraceFileError) -> UInt64 {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      throw TraceFileError(file: path, offset: nil, reason: .system(call: "stat", errno: errno))
    }
    return UInt64(status.st_size)
  }
}
