// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Normalize
import Replay
import TraceFile

/// A pass over the records of a capture, turned into events.
struct CaptureWalk {
  let reader: TraceReader
  let verbosity: Verbosity

  /// What walking over the records told besides the events.
  struct Summary: Sendable {
    var records: UInt64 = 0
    var firstTime: UInt64?
    var lastTime: UInt64 = 0
    var addressSpaces: UInt64 = 0
    /// What the reader and the normalizer passed over.
    var gaps = GapCounts()
    /// What the records contain.
    var capabilities = Capabilities()
    /// What of the capture could not be read: the first thousand places, and how many there were.
    var damages: [TraceFileError] = []
    var damageCount = 0

    /// The batch is not empty.
    mutating func note(_ batch: borrowing RecordBatch) {
      firstTime = firstTime ?? batch[0].timestamp
      lastTime = batch[batch.count - 1].timestamp
      records += UInt64(batch.count)
    }

    var spanNanoseconds: UInt64 { firstTime.map { max(lastTime, $0) - $0 } ?? 0 }
  }

  /// Hands over batches of events until `body` says that it has enough by returning `false`. `ahead`: reading and
  /// normalizing go on meanwhile, each on a thread of its own.
  func run(ahead: Bool, _ body: ([MMEventRecord]) throws -> Bool) throws -> Summary {
    if ahead, let summary = try runAhead(body) { return summary }
    return try normalize(readsAhead: false, atLeast: 1) { events in
      defer { events.removeAll(keepingCapacity: true) }
      return try body(events)
    }
  }

  // — events

  private func runAhead(_ body: ([MMEventRecord]) throws -> Bool) throws -> Summary? {
    try ReadAhead.run(Array(repeating: [], count: Self.batches)) { deliver in
      try normalize(readsAhead: true, atLeast: Self.eventsPerBatch) { events in
        defer { events.removeAll(keepingCapacity: true) }
        return deliver(&events)
      }
    } use: { events in
      try body(events)
    }
  }

  /// Batches between two threads: so much may one of them be ahead of the other.
  private static let batches = 8
  /// Events worth waking another thread for.
  private static let eventsPerBatch = 4096

  private func normalize(
    readsAhead: Bool, atLeast count: Int, _ deliver: (inout [MMEventRecord]) throws -> Bool
  ) throws -> Summary {
    var normalizer = try reader.makeNormalizer()
    var events: [MMEventRecord] = []
    var summary = Summary()
    var progress = Progress(verbosity)
    defer { progress.end() }
    let isAll = try forEachRecordBatch(ahead: readsAhead) { batch in
      summary.note(batch)
      normalizer.consume(batch, into: &events)
      progress.reached(summary.records)
      return try events.count < count || deliver(&events)
    }
    (summary.damages, summary.damageCount) = (reader.damages, reader.damageCount)
    summary.gaps = reader.gaps
    if reader.kernel == .notUnderstood { summary.gaps.add(.assumedKernel) }
    guard isAll else { return summary }
    normalizer.finish(into: &events)
    _ = try deliver(&events)
    summary.addressSpaces = normalizer.addressSpaces
    summary.gaps.add(normalizer.gaps)
    summary.capabilities = normalizer.capabilities
    return summary
  }

  // — records

  /// Hands over batches of records until `body` says that it has enough, which makes this `false`. They are of one size
  /// whether `ahead` or not: where time goes backwards (damage), it shows where they end.
  private func forEachRecordBatch(ahead: Bool, _ body: (borrowing RecordBatch) throws -> Bool) throws -> Bool {
    if ahead, let isAll = try readAhead(body) { return isAll }
    var batch = RecordBatch()
    while reader.nextBatch(into: &batch) { guard try body(batch) else { return false } }
    return true
  }

  private func readAhead(_ body: (borrowing RecordBatch) throws -> Bool) throws -> Bool? {
    var isAll = true
    let made: Void? = try ReadAhead.run((0..<Self.batches).map { _ in Handover() }) { deliver in
      var next = Handover()
      while reader.nextBatch(into: &next.batch) { guard deliver(&next) else { return } }
    } use: { next in
      isAll = try body(next.batch)
      return isAll
    }
    return made.map { isAll }
  }

  /// Records that go from one thread to another.
  private final class Handover {
    var batch = RecordBatch()
  }
}

extension TraceReader {
  /// The kernel that recorded, as far as the capture or the user names it.
  var kernel: KernelFacts.Release { release.map { KernelFacts.release($0) } ?? .notUnderstood }

  /// What is particular to that kernel: the nearest there is.
  private var kernelFacts: KernelFacts {
    switch kernel {
    case .known(let facts): facts
    case .withoutAnonExclusive: .v6_1
    case .notUnderstood: .newest
    }
  }

  /// It shows when a folio leaves a CPU's LRU-add batch.
  var seesLRUInsertion: Bool { has("mm_lru_insertion") }

  /// Only x86 (and riscv) has events of page faults, and only where somebody enabled them.
  var seesFaults: Bool { has("page_fault_user") }

  /// What would be in the records had it happened, as the recorder says: a killed one said what it had begun with.
  var promised: Capabilities {
    guard let manifest = capture?.manifest else { return Capabilities() }
    var promised = Normalizer.capabilities(ofEvents: manifest.events.enabled)
    if manifest.snapshotCount > 0 { promised.insert(.snapshots) }
    return promised
  }

  /// Whether there are records of a decisive event: formats are in every file of trace-cmd.
  private func has(_ event: String) -> Bool { present(Normalizer.decisiveEvents).contains(event) }

  fileprivate func makeNormalizer() throws -> Normalizer {
    do {
      return try Normalizer(
        formats: formats, pageSize: pageSize, kernel: kernelFacts, machine: machine,
        absent: Normalizer.decisiveEvents.subtracting(present(Normalizer.decisiveEvents)))
    } catch {
      throw CommandError(path: name, reason: "\(error.reason); \(summary().contentsInBrief)")
    }
  }

  /// Files of trace-cmd end `uname` with the machine; text shows it by its events.
  var machine: Machine {
    let manifest = capture?.manifest
    let name =
      manifest?.machine ?? metadata.machine ?? metadata.kernel?.split(separator: " ").last.map(String.init) ?? "x86_64"
    return Machine(name, kernel: kernelFacts, configuration: manifest?.kernelConfig ?? [:])
  }
}

extension TraceSummary {
  /// What there is instead of what was looked for: the most frequent events, and lines that were refused.
  fileprivate var contentsInBrief: String {
    var counts = events
    for case (.event(let name), let count) in lines?.ignored ?? [:] { counts[name, default: 0] += count }
    let refused = (lines?.refused ?? [:]).sorted { $0.value.firstLine < $1.value.firstLine }.prefix(3).map {
      "line \($0.value.firstLine): \($0.key.event): \($0.key.reason)"
    }
    let most = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(8).map { "\($0.key) \($0.value)" }
    let found = most.isEmpty ? "it holds no event at all" : "it holds " + most.joined(separator: ", ")
    return ([found] + refused).joined(separator: "; ")
  }
}
