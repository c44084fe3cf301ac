// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents
import Normalize
package import Replay
package import Report
import TraceFile

/// One trace: file -> normalizer -> events -> replay. The only place that ties the three together.
package struct Analysis {
  /// What the user asked the replay for.
  package struct Options {
    /// Empty is the standard ones.
    package var encodings: [EncodingID] = []
    /// Events after this one are left out.
    package var until: Sequence?
    /// Only this frame is reported on.
    package var frame: PFN?
    /// Call sites left as they are today (`c.mprotect`, ...).
    package var without: [CallSiteSwitch] = []
    /// The history of every finding of the verification is wanted too, not only that of the first disagreement.
    package var explainsFindings = false
    /// See `ReplayResult.maxUnknownPercent`.
    package var maxUnknownPercent: UInt8 = 5
    /// By name; `nil` is all.
    package var audits: [String]?

    package init() {}

    /// Today's among them.
    fileprivate var replayed: [EncodingID] { encodings.isEmpty ? EncodingID.standard : [.baseline] + encodings }

    /// The events that are not left out.
    fileprivate func cut(_ events: [MMEventRecord]) -> [MMEventRecord] {
      until.map { until in events.filter { $0.sequence <= until } } ?? events
    }
  }

  let path: String
  let notices: Notices
  /// Reading, normalizing and replaying take place on three threads; what comes out is the same.
  let readsAhead: Bool
  /// As the user told it.
  let kernel: String?

  /// - Parameter kernel: The release that recorded, such as `6.12`, where the capture does not say.
  package init(path: String, notices: Notices = Notices(), kernel: String? = nil, readsAhead: Bool = true) {
    (self.path, self.notices, self.kernel, self.readsAhead) = (path, notices, kernel, readsAhead)
  }

  private func open() throws -> TraceReader {
    let reader = try TraceFile.open(path)
    reader.toldRelease = kernel
    return reader
  }

  package func info() throws -> CaptureInfo {
    let reader = try open()
    let info = CaptureInfo(reading: reader, path: path)
    warn(of: reader.damages, reader.damageCount)
    return info
  }

  /// log2 of the page size of the traced machine.
  package func pageShift() throws -> UInt8 { UInt8(try open().pageSize.trailingZeroBitCount) }

  /// Every normalized event, batch by batch, until `body` says that it has enough by returning `false`.
  ///
  /// `ahead`: reading and normalizing on threads of their own, which pays when `body` does more than count.
  package func forEachBatch(ahead: Bool, _ body: ([MMEventRecord]) throws -> Bool) throws {
    let reader = try open()
    let walk = try CaptureWalk(reader: reader, notices: notices).run(ahead: ahead && readsAhead, body)
    warn(of: walk.damages, walk.damageCount)
  }

  package func replay(_ options: Options = Options()) throws -> ReplayResult {
    let reader = try open()
    let facts = try kernelFacts(reader)
    // The model of the first walk is gone before the second one's is made.
    var (result, exemplars, ancestry) = try walk(reader, facts, options)
    let histories = try histories(of: exemplars, ancestry, options, reader, facts)
    result.tell { histories[$0] }
    for index in result.divergences.indices {
      result.divergences[index].frame = histories.frame(Exemplars.Page(result.divergences[index]))
    }
    if let frame = options.frame { result.divergences.removeAll { $0.frame != frame } }
    return result
  }

  /// The whole result but for the histories, and what they are made from.
  private func walk(
    _ reader: TraceReader, _ facts: KernelFacts, _ options: Options
  ) throws -> (result: ReplayResult, exemplars: Exemplars, ancestry: Ancestry) {
    let snapshots = try snapshots(of: reader, facts: facts)
    var driver = driver(
      of: options.replayed, options, reader, facts, snapshots,
      audits: AuditRegistry.all.filter { options.audits?.contains($0.description.name) ?? true })
    let walk = try CaptureWalk(reader: reader, notices: notices).run(ahead: readsAhead) { events in
      driver.apply(options.cut(events))
      return true
    }
    var result = driver.finish(capture: summary(reader, walk))
    result.named = options.encodings
    for index in result.processes.indices {
      let process = result.processes[index]
      result.processes[index].name = process.task.flatMap { walk.names.name(of: $0, at: process.last) }
    }
    result.maxUnknownPercent = options.maxUnknownPercent
    // What a CPU lost after its last record is in no event.
    result.loss.perCPU = reader.lostPerCPU
    result.gaps.add(walk.gaps)
    result.gaps.add(.recordingDisturbed, UInt64(reader.capture?.manifest?.interference?.count ?? 0))
    result.gaps.add(.pinsNotFollowed, reader.capture?.manifest?.probes?.missed ?? 0)
    result.gaps.add(.unreadableSnapshots, UInt64(snapshots?.damages.count ?? 0))
    warn(of: walk.damages, walk.damageCount)
    let exemplars = driver.exemplars(explaining: options.explainsFindings) { encoding in
      !encoding.role.isInstrument || options.encodings.contains(encoding) || options.frame != nil
    }
    return (result, exemplars, driver.ancestry)
  }

  private func driver(
    of encodings: [EncodingID], _ options: Options, _ reader: TraceReader, _ facts: KernelFacts,
    _ snapshots: CaptureSnapshots?, judging: JudgingScope = .touched, audits: [any Audit.Type] = []
  ) -> ReplayDriver {
    ReplayDriver(
      encodings: encodings, facts: facts, switches: SwitchSet(without: options.without),
      seesLRUInsertion: reader.seesLRUInsertion, seesFaults: reader.seesFaults, seesFlushes: reader.seesFlushes,
      judging: judging, audits: audits, snapshots: snapshots)
  }

  /// Hands the events to `body`, batch by batch, with a model that it is to apply them to, until it has enough.
  package func follow(
    _ options: Options = Options(), _ body: (ArraySlice<MMEventRecord>, inout ReplayDriver) throws -> Bool
  ) throws {
    let reader = try open()
    let facts = try kernelFacts(reader)
    var model = driver(of: options.replayed, options, reader, facts, try snapshots(of: reader, facts: facts))
    _ = try CaptureWalk(reader: reader, notices: notices).run(ahead: readsAhead) { events in
      try body(options.cut(events)[...], &model)
    }
  }

  // — histories

  /// A second walk, with today's kernel and the encodings whose divergences the report will tell about.
  private func histories(
    of exemplars: Exemplars, _ ancestry: Ancestry, _ options: Options, _ reader: TraceReader, _ facts: KernelFacts
  ) throws -> PageHistories {
    let pageShift = UInt8(reader.pageSize.trailingZeroBitCount)
    var histories = PageHistories(exemplars, ancestry: ancestry, pageShift: pageShift)
    guard !exemplars.pages.isEmpty else { return histories }
    reader.rewind()
    var model = driver(
      of: [.baseline] + exemplars.encodings, options, reader, facts, try snapshots(of: reader, facts: facts),
      judging: .nothing)
    var left = exemplars.events
    _ = try CaptureWalk(reader: reader, notices: notices).run(ahead: readsAhead) { batch in
      let events = options.cut(batch).prefix(Int(clamping: left))
      left -= UInt64(events.count)
      histories.follow(events, in: &model)
      return left > 0
    }
    return histories
  }

  // — what the capture says

  private func kernelFacts(_ reader: TraceReader) throws(AnalysisError) -> KernelFacts {
    switch reader.kernel {
    case .known(let facts): return facts
    case .withoutAnonExclusive:
      throw AnalysisError(
        path: path,
        reason: "kernel \(reader.release ?? "") has no PG_anon_exclusive, which came with 5.19: there is no bit whose "
          + "encoding could be compared; --kernel RELEASE replays it as if a newer one had recorded")
    case .notUnderstood:
      let release = reader.release ?? "unknown"
      notices.warn("\(path): kernel \(release): taken for \(KernelFacts.newest.name); see --kernel")
      return .newest
    }
  }

  private func snapshots(of reader: TraceReader, facts: KernelFacts) throws -> CaptureSnapshots? {
    guard let capture = reader.capture, capture.manifest?.snapshotCount ?? 0 > 0 else { return nil }
    return CaptureSnapshots(try SnapshotFile.open(capture.directory.snapshotPath), facts: facts)
  }

  private func summary(_ reader: TraceReader, _ walk: CaptureWalk.Summary) -> CaptureSummary {
    let words = reader.capture?.manifest?.commandLine ?? []
    // `cowscope record -o X -- CMD`: the workload is what stands after the dashes.
    let command = words.firstIndex(of: "--").map { Array(words[($0 + 1)...]) } ?? words
    var summary = CaptureSummary(
      name: path, kernel: reader.release ?? "unknown", command: command, records: walk.records,
      spanNanoseconds: walk.spanNanoseconds, addressSpaces: walk.addressSpaces,
      pageShift: UInt8(reader.pageSize.trailingZeroBitCount))
    summary.capabilities = walk.capabilities
    summary.capabilities.formUnion(reader.promised)
    summary.isIncomplete = reader.capture?.isFinished == false
    return summary
  }

  /// A damaged capture is still a capture; the user must know that some of it is missing.
  private func warn(of damages: [TraceFileError], _ count: Int) {
    guard let first = damages.first else { return }
    notices.warn(first.description)
    for damage in damages.dropFirst() { notices.detail(damage.description) }
    if count > 1 { notices.warn("\(count) damaged places in all") }
  }
}
