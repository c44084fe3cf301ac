// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay
import Testing

@testable import Report

/// Stories in which what decides happens to another page, in another mm, or in no mm's memory at all. The parent is
/// mm1, the child mm2; the memory is a 2 MiB block at 0x2000000.
@Suite("The event that decided is in the history")
struct DecidingEventTests {
  private static let parent = MMID(1)
  private static let child = MMID(2)
  private static let start = VirtualPage(0x2000)

  private struct Snapshots: SnapshotSource {
    let shown: ProcessSnapshot
    func snapshot(_ index: UInt32) -> ProcessSnapshot? { shown }
  }

  private static func pages(_ range: Range<Int>) -> PageRange {
    PageRange(start: start.advanced(by: range.lowerBound), count: range.count)
  }

  /// As a replay tells it: a walk that finds, and one that looks again.
  private func replay(
    _ events: [(MMID, MMEvent)], _ encodings: [EncodingID], snapshot: ProcessSnapshot? = nil
  ) -> [Divergence] {
    let records = events.enumerated().map { index, event in
      MMEventRecord(
        sequence: Sequence(UInt64(index + 1)), time: Timestamp(nanoseconds: UInt64(index + 1)), cpu: CPU(0),
        task: TaskID(100), mm: event.0, event: event.1)
    }
    let snapshots = snapshot.map { Snapshots(shown: $0) }
    var driver = ReplayDriver(
      encodings: [.baseline] + encodings, facts: .v6_12, seesLRUInsertion: true, snapshots: snapshots)
    driver.apply(records)
    var result = driver.finish(
      capture: CaptureSummary(
        name: "story", kernel: "6.12", command: [], records: UInt64(records.count), spanNanoseconds: 1,
        addressSpaces: 2))
    let exemplars = driver.exemplars(explaining: false)
    var histories = PageHistories(exemplars, ancestry: driver.ancestry, pageShift: 12)
    var model = ReplayDriver(
      encodings: [.baseline] + exemplars.encodings, facts: .v6_12, seesLRUInsertion: true, snapshots: snapshots)
    histories.follow(records[...], in: &model)
    result.tell { histories[$0] }
    return result.divergences
  }

  private func text(_ found: Divergence?) -> [String] {
    guard let found else { return [] }
    return HistoryText(style: Style(isColoured: false), encoding: found.encoding, limit: nil, width: 100)
      .lines(found.history)
  }

  @Test("fork shares half of a huge page; the flag is the folio's, so the other half's claim goes with it")
  func siblingShared() throws {
    let found = replay(
      [
        (Self.parent, .mmCreated(.exec)),
        (Self.parent, .vmaMapped(Self.pages(0..<512), .anonymous, [.read, .write])),
        (Self.parent, .fault(Self.start, .write, .anonymous(PFN(512), FolioOrder(9), replaced: false))),
        (Self.parent, .advised(Self.pages(256..<512), .dontFork)), (Self.parent, .forkBegan(child: Self.child)),
        (Self.parent, .forkCopied(child: Self.child, Self.pages(0..<256))),
        (Self.parent, .forkEnded(child: Self.child)),
      ], [.aAndLazy])
    let broken = try #require(found.first { $0.verdict == .invariantBreak })
    #expect(broken.mm == Self.parent && Self.pages(256..<512).contains(broken.page))
    // The entry stays writable; only the claim goes, and not with an event of this page.
    #expect(
      text(broken) == [
        "                           today    A-and-lazy",
        "      3  0.000000003  100  W D PAE+ W D +  fault addr=0x2000000 write -> anon pfn=512 order=9",
        "      4  0.000000004  100  W D PAE+ W D +  advised 0x2100000-0x2200000 MADV_DONTFORK",
        "      6  0.000000006  100  W D PAE+ W D -  fork_copied child=mm2 0x2000000-0x2100000",
        "    > 7  0.000000007  100  W D PAE+ W D -  fork_ended child=mm2",
      ])
  }

  @Test("The last sharer exits: today's bit stays clear, the bits of C say exclusive, and now they are right")
  func sharerExits() throws {
    let found = replay(
      [
        (Self.parent, .mmCreated(.exec)),
        (Self.parent, .vmaMapped(Self.pages(0..<8), .anonymous, [.read, .write])),
        (Self.parent, .fault(Self.start, .write, .anonymous(PFN(64), .base, replaced: false))),
        (Self.parent, .forkBegan(child: Self.child)),
        (Self.parent, .forkCopied(child: Self.child, Self.pages(0..<8))),
        (Self.parent, .forkEnded(child: Self.child)), (Self.child, .mmTeardownBegan), (Self.child, .mmExited),
      ], [.cRaw])
    let better = try #require(found.first { $0.verdict == .better })
    #expect(better.mm == Self.parent && better.firstSequence == Sequence(8))
    #expect(
      text(better) == [
        "                           today    C-raw",
        "      3  0.000000003  100  W D PAE+ W D +  fault write -> anon pfn=64 order=0",
        "      5  0.000000005  100  r D PAE- r D +  fork_copied child=mm2 0x2000000-0x2008000",
        "    > 8  0.000000008  100  r D PAE- r D +  in mm2: mm_exited",
      ])
  }

  @Test("A snapshot shows a page of an attached process to be shared: whether its entry is dirty, nobody knows")
  func snapshotShows() throws {
    let shown = ProcessSnapshot(
      vmas: [
        ProcessSnapshot.VMA(
          range: Self.pages(0..<8), facts: VMAFacts(backing: .anonymous, protection: [.read, .write]))
      ], anonymous: [ProcessSnapshot.Page(page: Self.start, pfn: PFN(64), exclusive: false, isMappedOnce: false)])
    let found = replay(
      [
        (Self.parent, .mmCreated(.attached)), (Self.parent, .snapshotBegan(1)),
        (Self.parent, .snapshotEnded(1)),
      ], [.cRaw], snapshot: shown)
    let possible = try #require(found.first { $0.verdict == .unsafe })
    #expect(possible.certainty == .possible)
    #expect(
      text(possible) == [
        "                           today     C-raw",
        "    > 3  0.000000003  100  r D? PAE- r D? ?  snapshot_ended index=1",
      ])
  }

  @Test("Every line about other pages and mms changed how the page stood, and four of them are kept")
  func bounded() throws {
    var events: [(MMID, MMEvent)] = [
      (Self.parent, .mmCreated(.exec)),
      (Self.parent, .vmaMapped(Self.pages(0..<8), .anonymous, [.read, .write])),
      (Self.parent, .fault(Self.start, .write, .anonymous(PFN(64), .base, replaced: false))),
    ]
    // Twelve children; each exit takes one mapping away, the last one decides.
    let children = (2..<14).map { MMID($0) }
    for child in children {
      events += [
        (Self.parent, .forkBegan(child: child)), (Self.parent, .forkCopied(child: child, Self.pages(0..<8))),
        (Self.parent, .forkEnded(child: child)),
      ]
    }
    for child in children { events += [(child, .mmTeardownBegan), (child, .mmExited)] }
    let better = try #require(replay(events, [.cRaw]).first { $0.verdict == .better })
    let exits = better.history.filter { $0.text.hasSuffix("mm_exited") }
    #expect(exits.count == 5 && exits.last?.isDeciding == true && exits.last?.text == "in mm13: mm_exited")
    #expect(better.history.count { $0.text.hasPrefix("fork_copied") } == 12)
    #expect(better.history.last?.sequence == better.firstSequence)
  }
}
