// SPDX-License-Identifier: GPL-2.0-only

/// Opens a trace.dat of version 6 or 7: the header, and what both versions store in the same form.
enum TraceDat {
  static let magic: StaticString = "\u{17}\u{8}Dtracing"

  static func isTraceDat(_ region: ByteRegion) -> Bool {
    var cursor = ByteCursor(region, isBigEndian: false)
    return cursor.skip(magic)
  }

  static func open(_ region: ByteRegion) throws(TraceFileError) -> TraceContents {
    var cursor = ByteCursor(region, isBigEndian: false)
    let header = try readHeader(&cursor)
    switch header.version {
    case "6": return try openVersion6(&cursor, header)
    case "7": return try openVersion7(&cursor, header)
    default: throw region.error(at: 10, .unsupportedVersion(header.version))
    }
  }

  struct Header {
    var version: String
    /// Of recording user space; the kernel's own is in header_page.
    var longSize: Int
    /// Size of a sub-buffer.
    var pageSize: UInt32
  }

  static func readHeader(_ cursor: inout ByteCursor) throws(TraceFileError) -> Header {
    guard cursor.skip(magic) else { throw cursor.error(.notATrace) }
    let version = try cursor.string("the version")
    let endian = try cursor.integer(UInt8.self, "the header")
    let longSize = try cursor.integer(UInt8.self, "the header")
    guard endian <= 1 else { throw cursor.error(.badLength("byte order", UInt64(endian))) }
    guard longSize == 4 || longSize == 8 else { throw cursor.error(.badLength("size of long", UInt64(longSize))) }
    cursor.isBigEndian = endian == 1
    return Header(version: version, longSize: Int(longSize), pageSize: try cursor.integer(UInt32.self, "the header"))
  }

  /// `header_page` and `header_event`, each a tag, a u64 size and text.
  static func readHeaderInfo(_ cursor: inout ByteCursor, pageSize: UInt32) throws(TraceFileError) -> SubBufferLayout {
    guard cursor.skip("header_page\0") else { throw cursor.error(.malformed("tag header_page")) }
    let page = try cursor.take(try cursor.integer(UInt64.self, "header_page"), "header_page")
    guard let layout = SubBufferLayout(headerPage: cursor.region.text(page), isBigEndian: cursor.isBigEndian) else {
      throw cursor.region.error(at: page.lowerBound, .malformed("header_page"))
    }
    guard cursor.skip("header_event\0") else { throw cursor.error(.malformed("tag header_event")) }
    _ = try cursor.take(try cursor.integer(UInt64.self, "header_event"), "header_event")
    guard let sized = layout.resized(to: Int(pageSize)) else {
      throw cursor.region.error(at: 0, .badLength("sub-buffer size", UInt64(pageSize)))
    }
    return sized
  }

  /// `events/ftrace/*/format`: a count, then sized texts.
  static func readFtraceEvents(
    _ cursor: inout ByteCursor, into sources: inout [EventFormats.Source]
  ) throws(TraceFileError) {
    try readFormats(&cursor, system: "ftrace", into: &sources)
  }

  /// All other formats, by subsystem.
  static func readEventFormats(
    _ cursor: inout ByteCursor, into sources: inout [EventFormats.Source]
  ) throws(TraceFileError) {
    let systems = try cursor.integer(UInt32.self, "the number of subsystems")
    guard UInt64(systems) * 5 <= UInt64(cursor.remaining) else {
      throw cursor.error(.badLength("number of subsystems", UInt64(systems)))
    }
    for _ in 0..<systems {
      let system = try cursor.string("the name of a subsystem")
      try readFormats(&cursor, system: system, into: &sources)
    }
  }

  private static func readFormats(
    _ cursor: inout ByteCursor, system: String, into sources: inout [EventFormats.Source]
  ) throws(TraceFileError) {
    let count = try cursor.integer(UInt32.self, "the number of formats of \(system)")
    guard UInt64(count) * 8 <= UInt64(cursor.remaining) else {
      throw cursor.error(.badLength("number of formats of \(system)", UInt64(count)))
    }
    for _ in 0..<count {
      let size = try cursor.integer(UInt64.self, "a format of \(system)")
      let text = try cursor.take(size, "a format of \(system)")
      sources.append(EventFormats.Source(system: system, region: cursor.region, text: text))
    }
  }

  /// The data of a CPU (offset and size as the file states them), as far as they exist; what is missing is reported.
  static func existing(
    _ cpu: UInt16, offset: UInt64, size: UInt64, what: String, in region: ByteRegion, budget: inout TraceBudget,
    damages: inout [TraceFileError]
  ) -> CPUData {
    var range = range(offset: offset, size: size, what: what, in: region, damages: &damages)
    if !budget.take(range) {
      damages.append(region.error(at: range.lowerBound, .overlap(what)))
      range = range.lowerBound..<range.lowerBound
    }
    return CPUData(cpu: cpu, region: region, storage: .raw(range), isCut: UInt64(range.count) < size)
  }

  private static func range(
    offset: UInt64, size: UInt64, what: String, in region: ByteRegion, damages: inout [TraceFileError]
  ) -> Range<Int> {
    let total = UInt64(region.count)
    guard offset <= total else {
      if size > 0 { damages.append(region.error(at: region.count, .truncated(what))) }
      return region.count..<region.count
    }
    let available = min(size, total - offset)
    if available < size { damages.append(region.error(at: region.count, .truncated(what))) }
    return Int(offset)..<Int(offset + available)
  }

  static func metadata(
    source: String, header: Header, options: TraceDatOptions, isBigEndian: Bool
  ) -> TraceMetadata {
    TraceMetadata(
      source: source, kernel: options.uname, longSize: header.longSize, isBigEndian: isBigEndian,
      cpuCount: options.cpuCount.map { Int($0) }, cpuStats: options.cpuStats, recorder: options.version)
  }
}
