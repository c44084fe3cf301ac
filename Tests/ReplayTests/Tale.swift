// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// Processes P (mm 0) and its child Q (mm 1); eight pages of P from a 2 MiB border on.
struct Tale {
  static let p = MMID(0)
  static let q = MMID(1)
  static let first = VirtualPage(512 * 16)
  private var driver: ReplayDriver
  private var records: UInt64 = 0
  private var clock: UInt64 = 1_000_000

  /// What the trace that the tale stands for can show.
  var capabilities = Capabilities.all

  private struct Snapshots: SnapshotSource {
    let all: [UInt32: ProcessSnapshot]
    func snapshot(_ index: UInt32) -> ProcessSnapshot? { all[index] }
  }

  init(
    snapshots: [UInt32: ProcessSnapshot] = [:], without: [CallSiteSwitch] = [], facts: KernelFacts = .v7_3,
    audits: [any Audit.Type] = [], seesFlushes: Bool = true
  ) {
    driver = ReplayDriver(
      encodings: [.baseline] + Story.sound, facts: facts, switches: SwitchSet(without: without),
      seesLRUInsertion: false, seesFlushes: seesFlushes, audits: audits, snapshots: Snapshots(all: snapshots))
    // An event a stretch.
    driver.accounts = RunningAccounts(encodings: Story.sound.count, shortestStretch: 1000)
    at(Self.p, 100, .mmCreated(.exec))
    at(Self.p, 100, .vmaMapped(range(0..<1024), .anonymous, [.read, .write]))
  }

  func page(_ index: Int) -> VirtualPage { Self.first.advanced(by: index) }
  func range(_ pages: Range<Int>) -> PageRange { PageRange(start: page(pages.lowerBound), count: pages.count) }

  /// The next thing that happens, a microsecond later than the last unless `time` says otherwise.
  mutating func at(_ mm: MMID, _ task: Int32, _ event: MMEvent, time: UInt64? = nil) {
    records += 1
    clock = time ?? clock + 1000
    driver.apply([
      MMEventRecord(
        sequence: Sequence(records), time: Timestamp(nanoseconds: clock), cpu: CPU(0), task: TaskID(task), mm: mm,
        event: event)
    ])
  }

  mutating func touch(_ index: Int, _ pfn: UInt64) {
    at(Self.p, 100, .fault(page(index), .write, .anonymous(PFN(pfn), .base, replaced: false)))
  }

  mutating func fork(_ pages: Range<Int>) {
    at(Self.q, 100, .mmCreated(.fork))
    at(Self.p, 100, .forkBegan(child: Self.q))
    at(Self.p, 100, .forkCopied(child: Self.q, range(pages)))
    at(Self.p, 100, .forkEnded(child: Self.q))
  }

  mutating func copy(_ mm: MMID, _ task: Int32, _ index: Int, _ pfn: UInt64, took nanoseconds: UInt32) {
    at(mm, task, .fault(page(index), [.write, .present], .copied(PFN(pfn), sinceDecision: nanoseconds)))
  }

  mutating func result() -> ReplayResult {
    var capture = CaptureSummary(
      name: "tale", kernel: "7.3", command: [], records: records, spanNanoseconds: clock, addressSpaces: 2)
    capture.capabilities = capabilities
    return driver.finish(capture: capture)
  }

  /// What the only audit that it was told to counted.
  mutating func audit() throws -> AuditResult { try #require(result().audits.last) }

  func claim(_ mm: MMID, _ index: Int) -> Claim { driver.lockstep.baseline.claim(mm, page(index)) }
  func doubt(_ mm: MMID, _ index: Int) -> DoubtCause? { driver.lockstep.doubts.cause(mm, page(index)) }
  func kind(_ mm: MMID, _ index: Int) -> EntryKind { driver.lockstep.baseline.memory.entry(mm, page(index)).kind }
  func isPinned(_ mm: MMID, _ index: Int) -> Bool {
    driver.lockstep.baseline.pins.contains { $0.mm == mm && $0.page == page(index) }
  }
  func frame(_ mm: MMID, _ index: Int) -> PFN? { driver.lockstep.baseline.memory.mappedFrame(mm, page(index)) }
}
