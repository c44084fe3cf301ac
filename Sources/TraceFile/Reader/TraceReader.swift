// SPDX-License-Identifier: GPL-2.0-only

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
  /// What a capture directory says about itself; `nil` for files of other programs.
  package let capture: CaptureState?
  private let contents: TraceContents
  private var merged: MergedStreams
  /// Instead of `merged`, for text.
  private var text: TextTrace?
  private var delivered: UInt64 = 0

  init(_ contents: TraceContents, capture: CaptureState? = nil) {
    self.contents = contents
    self.capture = capture
    formats = contents.formats
    metadata = contents.metadata
    buffers = contents.buffers.map { buffer in
      Buffer(
        name: buffer.name, clock: buffer.clock, subBufferSize: buffer.layout.size, cpus: buffer.cpus.map(\.cpu).sorted()
      )
    }
    merged = MergedStreams(contents.buffers, conversion: contents.timeConversion)
    text = contents.text.map { TextTrace($0) }
  }

  /// A reader of ftrace text, with the canonical formats instead of a kernel's.
  convenience init(text region: ByteRegion) {
    var contents = TraceContents(formats: EventFormats(known: TextTrace.formats))
    contents.metadata.source = "ftrace text"
    contents.text = region
    contents.buffers = [
      BufferData(
        name: "", clock: "", layout: SubBufferLayout(dataOffset: 0, capacity: 0, commitSize: 8, isBigEndian: false),
        cpus: [])
    ]
    self.init(contents)
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
    text = contents.text.map { TextTrace($0) }
    delivered = 0
  }

  /// What could not be read: found at open, then on the way so far. Only the first thousand are kept.
  package var damages: [TraceFileError] { contents.damages + merged.damages.entries }

  /// What was found damaged when the capture was opened.
  var openDamages: [TraceFileError] { contents.damages }

  /// A fresh walk over every CPU, in order of (buffer, CPU).
  func makeStreams() -> [CPUStream] {
    MergedStreams.streams(contents.buffers, conversion: contents.timeConversion)
  }

  /// How many damages there are, kept or not.
  package var damageCount: Int { contents.damages.count + merged.damages.total }

  /// Lines of a text trace that were not understood so far, by event name. Empty for binary captures.
  package var unparsed: [String: UInt64] { text?.unparsed ?? [:] }

  /// The text of the capture, when it is text.
  var textRegion: ByteRegion? { contents.text }

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
