// SPDX-License-Identifier: GPL-2.0-only

extension TraceDat {
  private struct Section {
    var id: UInt16
    var isCompressed: Bool
    var body: Range<Int>
  }

  static func openVersion7(_ cursor: inout ByteCursor, _ header: Header) throws(TraceFileError) -> TraceContents {
    let algorithm = try cursor.string("the compression")
    _ = try cursor.string("the version of the compression")
    guard let compression = Compression(name: algorithm) else {
      throw cursor.error(.unsupported("compression \(algorithm)"))
    }
    let firstOptions = try cursor.integer(UInt64.self, "the offset of the options")
    var damages: [TraceFileError] = []
    let options = try readOptionChain(cursor, from: firstOptions, compression, &damages)

    var info = try sectionCursor(cursor, .headerInfo, options, compression)
    let layout = try readHeaderInfo(&info, pageSize: header.pageSize)
    var sources: [EventFormats.Source] = []
    var ftrace = try sectionCursor(cursor, .ftraceEvents, options, compression)
    try readFtraceEvents(&ftrace, into: &sources)
    var events = try sectionCursor(cursor, .eventFormats, options, compression)
    try readEventFormats(&events, into: &sources)

    var contents = TraceContents(
      formats: EventFormats(sources: sources, longSize: header.longSize, isBigEndian: cursor.isBigEndian))
    contents.damages = damages
    var budget = TraceBudget(of: cursor.region)
    for range in options.buffers {
      do throws(TraceFileError) {
        contents.buffers.append(
          try readBuffer(cursor, range, headerLayout: layout, options, compression, &budget, &contents.damages))
      } catch {
        contents.damages.append(error)
      }
    }
    contents.timeConversion = options.time
    contents.metadata = metadata(
      source: "trace.dat 7 (\(algorithm))", header: header, options: options, isBigEndian: cursor.isBigEndian)
    return contents
  }

  /// Each OPTIONS section ends with the offset of the next. A chain that breaks off later than its first section
  /// leaves what was read, and a damage.
  private static func readOptionChain(
    _ cursor: ByteCursor, from first: UInt64, _ compression: Compression, _ damages: inout [TraceFileError]
  ) throws(TraceFileError) -> TraceDatOptions {
    var options = TraceDatOptions()
    var next = first
    var seen: Set<UInt64> = []
    while next != 0 {
      do throws(TraceFileError) {
        guard seen.insert(next).inserted, seen.count <= 10_000 else {
          throw cursor.region.error(at: 0, .malformed("chain of options"))
        }
        next = try readOptions(cursor, at: next, compression, &options)
      } catch {
        guard seen.count > 1 else { throw error }
        damages.append(error)
        break
      }
    }
    return options
  }

  private static func readOptions(
    _ cursor: ByteCursor, at offset: UInt64, _ compression: Compression, _ options: inout TraceDatOptions
  ) throws(TraceFileError) -> UInt64 {
    let section = try readSection(cursor, at: offset)
    guard section.id == TraceDatOption.done.rawValue else {
      throw cursor.region.error(at: Int(offset), .malformed("options section"))
    }
    var body = try bodyCursor(cursor, section, compression)
    while true {
      let id = try body.integer(UInt16.self, "an option")
      let size = try body.integer(UInt32.self, "an option")
      let range = try body.take(UInt64(size), "an option")
      if id == TraceDatOption.done.rawValue {
        var done = ByteCursor(body.region, range: range, isBigEndian: body.isBigEndian)
        return try done.integer(UInt64.self, "the offset of the next options")
      }
      // trace-cmd does not compress options; buffers keep ranges of the file itself.
      guard body.region === cursor.region else { throw body.error(.unsupported("a compressed options section")) }
      try options.apply(TraceDatOptions.Raw(id: id, range: range), cursor: body)
    }
  }

  private static func readSection(_ cursor: ByteCursor, at offset: UInt64) throws(TraceFileError) -> Section {
    var cursor = cursor
    try cursor.move(to: offset, "offset of a section")
    let id = try cursor.integer(UInt16.self, "a section header")
    let flags = try cursor.integer(UInt16.self, "a section header")
    _ = try cursor.integer(UInt32.self, "a section header")
    let size = try cursor.integer(UInt64.self, "a section header")
    // A cut file may still hold the beginning of the section, which is worth having for CPU data.
    let available = Int(min(size, UInt64(cursor.remaining)))
    return Section(id: id, isCompressed: flags & 1 != 0, body: cursor.offset..<(cursor.offset + available))
  }

  /// The content of a section, decompressed when it must be.
  private static func bodyCursor(
    _ cursor: ByteCursor, _ section: Section, _ compression: Compression
  ) throws(TraceFileError) -> ByteCursor {
    var body = ByteCursor(cursor.region, range: section.body, isBigEndian: cursor.isBigEndian)
    guard section.isCompressed else { return body }
    let compressedSize = try body.integer(UInt32.self, "a compressed section")
    let size = try body.integer(UInt32.self, "a compressed section")
    let range = try body.take(UInt64(compressedSize), "a compressed section")
    let run = ChunkRun(chunks: [CompressedChunk(range: range, uncompressedSize: Int(size))])
    let region = try run.decompress(cursor.region, compression)
    return ByteCursor(region, isBigEndian: cursor.isBigEndian)
  }

  private static func sectionCursor(
    _ cursor: ByteCursor, _ option: TraceDatOption, _ options: TraceDatOptions, _ compression: Compression
  ) throws(TraceFileError) -> ByteCursor {
    guard let offset = options.sections[option] else {
      throw TraceFileError(file: cursor.region.file, offset: nil, reason: .malformed("list of sections (\(option))"))
    }
    let section = try readSection(cursor, at: offset)
    guard section.id == option.rawValue else {
      throw cursor.region.error(at: Int(offset), .malformed("section \(option)"))
    }
    return try bodyCursor(cursor, section, compression)
  }

  /// Option BUFFER: u64 section offset, name, clock, u32 sub-buffer size, u32 n, n times {u32 cpu, u64 offset, u64
  /// size}.
  private static func readBuffer(
    _ cursor: ByteCursor, _ range: Range<Int>, headerLayout: SubBufferLayout, _ options: TraceDatOptions,
    _ compression: Compression, _ budget: inout TraceBudget, _ damages: inout [TraceFileError]
  ) throws(TraceFileError) -> BufferData {
    var body = ByteCursor(cursor.region, range: range, isBigEndian: cursor.isBigEndian)
    let offset = try body.integer(UInt64.self, "option BUFFER")
    let name = try body.string("option BUFFER")
    let clock = try body.string("option BUFFER")
    let subBufferSize = try body.integer(UInt32.self, "option BUFFER")
    let count = try body.integer(UInt32.self, "option BUFFER")
    guard let layout = headerLayout.resized(to: Int(subBufferSize)) else {
      throw body.error(.badLength("sub-buffer size of buffer \(name)", UInt64(subBufferSize)))
    }
    let section = try readSection(cursor, at: offset)
    guard section.id == TraceDatOption.buffer.rawValue else {
      throw cursor.region.error(at: Int(offset), .malformed("section of buffer \(name)"))
    }
    var buffer = BufferData(
      name: name, clock: TraceDatOptions.activeClock(clock.isEmpty ? options.clock ?? "" : clock), layout: layout,
      cpus: [])
    for _ in 0..<count {
      let cpu = try body.integer(UInt32.self, "option BUFFER")
      let offset = try body.integer(UInt64.self, "option BUFFER")
      let size = try body.integer(UInt64.self, "option BUFFER")
      guard cpu < maximumCPUs else { throw body.error(.badLength("CPU number", UInt64(cpu))) }
      guard budget.takeStream() else { throw body.error(.exceedsBudget("the number of CPUs of all buffers")) }
      guard section.isCompressed else {
        if size == 0 { continue }
        buffer.cpus.append(
          existing(
            UInt16(cpu), offset: offset, size: size,
            what: "the data of CPU \(cpu)\(name.isEmpty ? "" : " of \(name)")", in: cursor.region,
            budget: &budget, damages: &damages))
        continue
      }
      // The size stated for a compressed CPU leaves out the chunk count: the end of the section is the limit.
      let start = Int(clamping: offset)
      let known = damages.count
      let chunks = chunkIndex(
        cursor, min(start, section.body.upperBound)..<section.body.upperBound, cpu: cpu, &budget, &damages)
      buffer.cpus.append(
        CPUData(
          cpu: UInt16(cpu), region: cursor.region, storage: .chunks([ChunkRun(chunks: chunks)], compression),
          isCut: damages.count > known))
    }
    buffer.layout = Self.layout(stated: layout, header: headerLayout, of: buffer.cpus)
    for index in buffer.cpus.indices { buffer.cpus[index].storage.regroup(subBufferSize: buffer.layout.size) }
    return buffer
  }

  /// u32 count, then {u32 compressed size, u32 size, bytes}: hops over the chunks without looking inside.
  private static func chunkIndex(
    _ cursor: ByteCursor, _ range: Range<Int>, cpu: UInt32, _ budget: inout TraceBudget,
    _ damages: inout [TraceFileError]
  ) -> [CompressedChunk] {
    var place = ByteCursor(cursor.region, range: range, isBigEndian: cursor.isBigEndian)
    var chunks: [CompressedChunk] = []
    do throws(TraceFileError) {
      let count = try place.integer(UInt32.self, "the chunks of CPU \(cpu)")
      for _ in 0..<count {
        let compressedSize = try place.integer(UInt32.self, "the chunks of CPU \(cpu)")
        let size = try place.integer(UInt32.self, "the chunks of CPU \(cpu)")
        guard Int(size) <= ChunkRun.maximumSize else {
          throw place.error(.badLength("uncompressed size of a chunk of CPU \(cpu)", UInt64(size)))
        }
        guard budget.takeChunk(Int(size)) else {
          throw place.error(.exceedsBudget("what the chunks of CPU \(cpu) decompress to"))
        }
        let bytes = try place.take(UInt64(compressedSize), "the chunks of CPU \(cpu)")
        chunks.append(CompressedChunk(range: bytes, uncompressedSize: Int(size)))
      }
    } catch {
      damages.append(error)
    }
    guard let first = chunks.first?.range.lowerBound, let last = chunks.last?.range.upperBound else { return [] }
    guard budget.take(first..<last) else {
      damages.append(cursor.region.error(at: first, .overlap("the data of CPU \(cpu)")))
      return []
    }
    return chunks
  }
}
