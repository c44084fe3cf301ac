// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// An open capture: its formats, its facts, and its records in one merged stream.
///
///     let reader = try TraceFile.open("trace.cow")
///     let alloc = try reader.formats.format(named: "mm_page_alloc")
///     let pfn = alloc?.field("pfn")
///     var batch = RecordBatch()
///     while reader.nextBatch(into: &batch) {
///       for index in 0..<batch.count where batch[index].eventID == alloc?.id {
///         print(batch[index].timestamp, pfn?.loadUInt64(from: batch[index]) as Any)
///       }
///     }
///
/// One pass at a time; a reader is not shared between threads.
package final class TraceReader {
  package struct Buffer: Equatable, Sendable {
    /// Empty for the top-level buffer.
    package var name: String
    package var clock: String
    package var subBufferSize: Int
    package var cpus: [UInt16]

    package init(name: String, clock: String, subBufferSize: Int, cpus: [UInt16]) {
      self.name = name
      self.clock = clock
      self.subBufferSize = subBufferSize
      self.cpus = cpus
    }
  }

  package let formats: EventFormats
  package let metadata: TraceMetadata
  /// `RawRecord.buffer` indexes this.
  package let buffers: [Buffer]
  /// What was opened, for messages.
  package internal(set) var name = ""
  /// `uname -r` as the user told it, before whatever the capture says.
  package var toldRelease: String?
  /// What a capture directory says about itself; `nil` for files of other programs.
  package let capture: CaptureState?
  let contents: TraceContents
  /// The whole file, when it is ftrace text: then `contents` has one buffer without CPUs.
  private let textSource: (region: ByteRegion, survey: TextSurvey)?
  private var merged: MergedStreams
  /// Instead of `merged`, for text.
  private var text: TextTrace?
  private var delivered: UInt64 = 0
  /// The last answer of `present`.
  private var lookedFor: (names: Set<String>, present: Set<String>)?

  init(
    _ contents: TraceContents, capture: CaptureState? = nil,
    text source: (region: ByteRegion, survey: TextSurvey)? = nil
  ) {
    self.contents = contents
    textSource = source
    self.capture = capture
    formats = contents.formats
    metadata = contents.metadata
    buffers = contents.buffers.map { buffer in
      Buffer(
        name: buffer.name, clock: buffer.clock, subBufferSize: buffer.layout.size, cpus: buffer.cpus.map(\.cpu).sorted()
      )
    }
    merged = MergedStreams(contents.buffers, conversion: contents.timeConversion)
    text = textSource.map { TextTrace($0.region, $0.survey) }
  }

  /// A reader of ftrace text, with the canonical formats instead of a kernel's.
  convenience init(text region: ByteRegion) {
    var contents = TraceContents(formats: EventFormats(known: TextTrace.formats))
    let survey = TextSurvey(region)
    contents.metadata.source = "ftrace text"
    contents.metadata.kernel = survey.release
    contents.metadata.machine = survey.isX86 ? "x86_64" : "unknown"
    contents.buffers = [
      BufferData(
        name: "", clock: "", layout: SubBufferLayout(dataOffset: 0, capacity: 0, commitSize: 8, isBigEndian: false),
        cpus: [])
    ]
    self.init(contents, text: (region, survey))
  }

  /// Replaces the batch by the next records of the merged stream; `false`, and an empty batch, at the end.
  ///
  /// The records are valid until the batch is filled again; see `RecordBatch` on filling several ahead of use. Damage
  /// does not stop the stream: see `damages`.
  package func nextBatch(into batch: inout RecordBatch) -> Bool {
    batch.reset(firstSequence: delivered + 1)
    if text == nil { merged.fill(&batch) } else { text?.fill(&batch) }
    delivered += UInt64(batch.count)
    return !batch.isEmpty
  }

  /// Starts again at the first record.
  package func rewind() {
    merged = MergedStreams(contents.buffers, conversion: contents.timeConversion)
    text = textSource.map { TextTrace($0.region, $0.survey) }
    delivered = 0
  }

  /// What could not be read: found at open, then on the way so far. Only the first thousand are kept.
  package var damages: [TraceFileError] { contents.damages + merged.damages.entries + refusals }

  private var refusals: [TraceFileError] {
    guard let text, let textSource else { return [] }
    return text.account.errors(file: textSource.region.file)
  }

  /// What was found damaged when the capture was opened.
  var openDamages: [TraceFileError] { contents.damages }

  /// A fresh walk over every CPU, in order of (buffer, CPU).
  func makeStreams() -> [CPUStream] {
    MergedStreams.streams(contents.buffers, conversion: contents.timeConversion)
  }

  /// How many damages there are, kept or not; lines of a text that were refused are in `lines`.
  package var damageCount: Int { contents.damages.count + merged.damages.total }

  /// What became of the lines of a text trace so far; `nil` for binary captures.
  package var lines: TextAccount? { text?.account }

  /// What could not be read so far, and what was passed over.
  package var gaps: GapCounts {
    var gaps = GapCounts()
    gaps.add(.damagedPlaces, UInt64(damageCount))
    if let lines { gaps.add(lines.gaps) }
    return gaps
  }

  /// The text of the capture, when it is text.
  var textRegion: ByteRegion? { textSource?.region }

  /// Which of these events have a record, be there formats or not. Looks no further than it must, and leaves the place
  /// of `nextBatch` alone.
  package func present(_ names: Set<String>) -> Set<String> {
    if let lookedFor, lookedFor.names == names { return lookedFor.present }
    var present: Set<String> = []
    var missing: [UInt16: String] = [:]
    var isMissing = [Bool](repeating: false, count: 1 << 16)
    for name in names {
      guard let id = formats.id(ofName: name) else { continue }
      missing[id] = name
      isMissing[Int(id)] = true
    }
    func isDone(_ id: UInt16) -> Bool {
      guard isMissing[Int(id)] else { return false }
      isMissing[Int(id)] = false
      if let name = missing.removeValue(forKey: id) { present.insert(name) }
      return missing.isEmpty
    }
    if textSource != nil { look(inText: isDone) } else if !missing.isEmpty { look(inStreams: isDone) }
    lookedFor = (names, present)
    return present
  }

  private func look(inText isDone: (UInt16) -> Bool) {
    guard var text = textSource.map({ TextTrace($0.region, $0.survey) }) else { return }
    var batch = RecordBatch()
    repeat {
      batch.reset(firstSequence: 1)
      text.fill(&batch)
      for index in 0..<batch.count { if isDone(batch[index].eventID) { return } }
    } while !batch.isEmpty
  }

  /// A block of each CPU in turn: an event that only one buffer has is found as soon as one that all have.
  private func look(inStreams isDone: (UInt16) -> Bool) {
    var damages = DamageLog()
    var retired: [AnyObject] = []
    var streams = makeStreams()
    while !streams.isEmpty {
      for index in streams.indices.reversed() {
        guard let records = unsafe streams[index].next(damages: &damages, retired: &retired) else {
          streams.remove(at: index)
          continue
        }
        for index in records.indices where isDone(unsafe records[index].eventID) { return }
        retired.removeAll(keepingCapacity: true)
      }
    }
  }

  /// Loss by buffer and CPU in the part of the stream read so far.
  package var lost: [LostOnCPU] {
    if let text {
      return text.lost.map { LostOnCPU(buffer: 0, cpu: $0.key, lost: $0.value) }.sorted { $0.cpu < $1.cpu }
    }
    return merged.streams.map { LostOnCPU(buffer: $0.buffer, cpu: $0.cpu, lost: $0.lost) }
  }
}

package struct LostOnCPU: Equatable, Sendable {
  package var buffer: UInt8
  package var cpu: UInt16
  package var lost: LostRecords
}
