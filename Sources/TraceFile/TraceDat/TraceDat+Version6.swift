// SPDX-License-Identifier: GPL-2.0-only

extension TraceDat {
  /// More CPUs than any kernel is built for.
  static let maximumCPUs: UInt32 = 8192

  /// What a version 6 file holds in front of its CPU data; `header.dat` of an unfinished capture is exactly this.
  struct Version6Prefix {
    var layout: SubBufferLayout
    var sources: [EventFormats.Source] = []
    var cpus: UInt32 = 0
  }

  static func readVersion6Prefix(
    _ cursor: inout ByteCursor, _ header: Header
  ) throws(TraceFileError) -> Version6Prefix {
    var prefix = Version6Prefix(layout: try readHeaderInfo(&cursor, pageSize: header.pageSize))
    try readFtraceEvents(&cursor, into: &prefix.sources)
    try readEventFormats(&cursor, into: &prefix.sources)
    _ = try cursor.take(UInt64(try cursor.integer(UInt32.self, "kallsyms")), "kallsyms")
    _ = try cursor.take(UInt64(try cursor.integer(UInt32.self, "printk_formats")), "printk_formats")
    _ = try cursor.take(try cursor.integer(UInt64.self, "saved_cmdlines"), "saved_cmdlines")
    prefix.cpus = try cursor.integer(UInt32.self, "the number of CPUs")
    guard prefix.cpus <= maximumCPUs else { throw cursor.error(.badLength("number of CPUs", UInt64(prefix.cpus))) }
    return prefix
  }

  static func openVersion6(_ cursor: inout ByteCursor, _ header: Header) throws(TraceFileError) -> TraceContents {
    let prefix = try readVersion6Prefix(&cursor, header)
    var options = TraceDatOptions()
    let formats = EventFormats(
      sources: prefix.sources, longSize: header.longSize, isBigEndian: cursor.isBigEndian)
    var contents = TraceContents(formats: formats)
    var budget = TraceBudget(of: cursor.region)
    let cpus = try readCPUTable(&cursor, prefix.cpus, buffer: "", &options, &budget, &contents.damages)
    var clock = options.clock
    if clock != nil, let size = try? cursor.integer(UInt64.self, "the clock"),
      let range = try? cursor.take(size, "the clock")
    {
      clock = TraceDatOptions.activeClock(cursor.region.text(range))
    }
    contents.buffers.append(BufferData(name: "", clock: clock ?? "", layout: prefix.layout, cpus: cpus))
    for range in options.buffers {
      var option = ByteCursor(cursor.region, range: range, isBigEndian: cursor.isBigEndian)
      do throws(TraceFileError) {
        let offset = try option.integer(UInt64.self, "option BUFFER")
        let name = try option.string("option BUFFER")
        var place = ByteCursor(cursor.region, isBigEndian: cursor.isBigEndian)
        try place.move(to: offset, "offset of buffer \(name)")
        var own = TraceDatOptions()
        let cpus = try readCPUTable(&place, prefix.cpus, buffer: name, &own, &budget, &contents.damages)
        contents.buffers.append(
          BufferData(name: name, clock: own.clock ?? clock ?? "", layout: prefix.layout, cpus: cpus))
      } catch {
        contents.damages.append(error)
      }
    }
    contents.timeConversion = options.time
    contents.metadata = metadata(
      source: "trace.dat 6", header: header, options: options, isBigEndian: cursor.isBigEndian)
    contents.metadata.cpuCount = contents.metadata.cpuCount ?? Int(prefix.cpus)
    return contents
  }

  /// Options, if any, and the table of {offset, size} by CPU.
  private static func readCPUTable(
    _ cursor: inout ByteCursor, _ cpus: UInt32, buffer: String, _ options: inout TraceDatOptions,
    _ budget: inout TraceBudget, _ damages: inout [TraceFileError]
  ) throws(TraceFileError) -> [CPUData] {
    if cursor.skip("options  \0") {
      while true {
        let id = try cursor.integer(UInt16.self, "an option")
        if id == 0 { break }
        let size = try cursor.integer(UInt32.self, "an option")
        let range = try cursor.take(UInt64(size), "an option")
        try options.apply(TraceDatOptions.Raw(id: id, range: range), cursor: cursor)
      }
    }
    guard !cursor.skip("latency  \0") else { throw cursor.error(.unsupported("a trace.dat of kind latency")) }
    guard cursor.skip("flyrecord\0") else { throw cursor.error(.malformed("tag flyrecord")) }
    let count = options.cpuCount ?? cpus
    guard count <= maximumCPUs else { throw cursor.error(.badLength("number of CPUs", UInt64(count))) }
    var result: [CPUData] = []
    for cpu in 0..<count {
      let offset = try cursor.integer(UInt64.self, "the table of CPU data")
      let size = try cursor.integer(UInt64.self, "the table of CPU data")
      guard size > 0 else { continue }
      guard budget.takeStream() else { throw cursor.error(.exceedsBudget("the number of CPUs of all buffers")) }
      result.append(
        existing(
          UInt16(cpu), offset: offset, size: size,
          what: "the data of CPU \(cpu)\(buffer.isEmpty ? "" : " of \(buffer)")", in: cursor.region,
          budget: &budget, damages: &damages))
    }
    // A count of its own is followed by one more, empty, pair.
    if count != cpus { _ = try cursor.take(min(16, UInt64(cursor.remaining)), "the table of CPU data") }
    return result
  }
}
