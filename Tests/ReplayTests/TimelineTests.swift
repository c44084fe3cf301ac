// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// Tales tell an event a microsecond, which is their shortest stretch: one event a point.
@Suite("Timeline")
struct TimelineTests {
  /// P touches four pages and forks; the child copies page 0 and P page 2; the child exits; P writes to page 0 again.
  private func told() throws -> Timeline {
    var tale = Tale(audits: [TablesAudit.self])  // 0 and 1: a process and its VMA
    for index in 0..<4 { tale.touch(index, UInt64(10 + index)) }  // 2 to 5
    tale.fork(0..<8)  // 6 to 9
    tale.copy(Tale.q, 200, 0, 20, took: 0)  // 10
    tale.copy(Tale.p, 100, 2, 22, took: 0)  // 11
    tale.at(Tale.q, 200, .mmTeardownBegan)  // 12
    tale.at(Tale.q, 200, .mmExited)  // 13
    tale.at(Tale.p, 100, .fault(tale.page(0), [.write, .present], .quiet))  // 14
    return try #require(tale.result().timeline)
  }

  @Test("Pages by today's flag, after each event")
  func pages() throws {
    let timeline = try told()
    #expect(timeline.points == 15 && timeline.interval == 1000)
    #expect(timeline.start == Timestamp(nanoseconds: 1_001_000))
    // What fork shares counts once. Whoever copies has a page of its own; the flag of the other one stays clear, until
    // its owner writes to it (14) or it goes with the child (13).
    #expect(timeline.gauges[.exclusivePages] == [0, 0, 1, 2, 3, 4, 4, 4, 4, 0, 1, 2, 2, 1, 2])
    #expect(timeline.gauges[.sharedPages] == [0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 4, 4, 3, 2])
    #expect(timeline.gauges[.unknownPages] == [UInt64](repeating: 0, count: 15))
    #expect(timeline.gauges[.swappedPages] == [UInt64](repeating: 0, count: 15))
  }

  @Test("What happened, in the stretch in which it did")
  func counts() throws {
    let timeline = try told()
    func once(_ indices: Int...) -> [UInt64] { (0..<15).map { indices.contains($0) ? 1 : 0 } }
    #expect(timeline.counts[.forks] == once(9))
    #expect(timeline.counts[.copies] == once(10, 11))
    #expect(timeline.counts[.reuses] == once(14))
    #expect(timeline.counts[.collapses] == once() && timeline.counts[.losses] == once())
  }

  @Test("Page tables, and the bitmaps of B: 64 bytes for parent and child from fork on, the child's until it is gone")
  func tables() throws {
    let timeline = try told()
    let tables = try #require(timeline.gauges[.pageTables])
    #expect(tables[0...11] == [0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2] && tables[13...] == [1, 1])
    let bitmaps = try #require(timeline.gauges[.bitmapBytes])
    #expect(bitmaps[0...11] == [0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 128, 128] && bitmaps[13...] == [64, 64])
    #expect(try #require(timeline.gauges[.emptyTables])[0...11].allSatisfy { $0 == 0 })
  }

  @Test("What is not followed has no series")
  func notFollowed() throws {
    var tale = Tale()
    tale.touch(0, 10)
    let timeline = try #require(tale.result().timeline)
    #expect(timeline.gauges[.pageTables] == nil && timeline.gauges[.emptyTables] == nil)
    #expect(timeline.gauges[.bitmapBytes] == [0, 0, 0])
    #expect(Set(timeline.divergences.keys) == Set(Story.sound))
  }

  @Test("A swapped page is mapped nowhere; one in the swapcache is in memory yet")
  func swap() {
    var story = Story()
    for page in 0..<2 { story.apply(.anonymousFault(Story.p, story.page(page), .base, story.vma)) }
    story.apply(.swapOut(Story.p, story.page(0), keepsCache: false, writeback: false, stableWrites: false))
    #expect(
      story.lockstep.baseline.memory.swappedPages == 1 && story.lockstep.baseline.memory.pageCensus.exclusive == 1)
    story.apply(.swapOut(Story.p, story.page(1), keepsCache: true, writeback: false, stableWrites: false))
    #expect(
      story.lockstep.baseline.memory.swappedPages == 1 && story.lockstep.baseline.memory.pageCensus.exclusive == 0)
    story.apply(.swapIn(Story.p, story.page(0), story.vma, write: true))
    #expect(
      story.lockstep.baseline.memory.swappedPages == 0 && story.lockstep.baseline.memory.pageCensus.exclusive == 1)
  }

  @Test("A loss: what was known is gone, the CPU is missing until the kernel tells the count")
  func losses() throws {
    var tale = Tale()
    tale.touch(0, 10)  // 2
    tale.at(Tale.p, 100, .lossBegan(CPU(1)))  // 3
    tale.touch(1, 11)  // 4
    tale.at(Tale.p, 100, .lost(CPU(1), count: 7))  // 5
    let timeline = try #require(tale.result().timeline)
    #expect(timeline.counts[.losses] == [0, 0, 0, 1, 0, 1])
    #expect(timeline.gauges[.missingCPUs] == [0, 0, 0, 1, 1, 0])
    #expect(timeline.gauges[.exclusivePages] == [0, 0, 1, 0, 1, 0])
  }

  // — time

  /// An event a microsecond. The row before event N says N.
  private func keeper(events: UInt64, every nanoseconds: UInt64 = 1000) -> TimelineKeeper {
    var keeper = TimelineKeeper(width: 1, shortest: 1000)
    for index in 0..<events {
      let time = Timestamp(nanoseconds: 5_000 + index * nanoseconds)
      if keeper.isOver(at: time) { keeper.close(at: time, [index]) }
    }
    keeper.finish([events])
    return keeper
  }

  @Test("Stretches double until there are 256 of them at most: 750 events of 1 us are 188 of 4 us")
  func merging() {
    let keeper = keeper(events: 750)
    #expect(keeper.interval == 4000)
    #expect(keeper.column(0) == (1...187).map { UInt64($0) * 4 } + [750])
    #expect(keeper.growth(of: 0) == [UInt64](repeating: 4, count: 187) + [2])
  }

  @Test("256 stretches are not too many, 257 are", arguments: [(256, 256, 1000), (257, 129, 2000)])
  func most(events: UInt64, points: Int, interval: UInt64) {
    let keeper = keeper(events: events)
    #expect(keeper.count == points && keeper.interval == interval)
    #expect(keeper.growth(of: 0).reduce(0, +) == events)
  }

  @Test("Nothing happens for a while: things stand as they stood")
  func idle() {
    let keeper = keeper(events: 2, every: 10_000)
    #expect(keeper.column(0) == [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2])
  }

  @Test("A clock that jumps as far as it can, or back")
  func jumps() {
    var keeper = TimelineKeeper(width: 1, shortest: 1000)
    keeper.close(at: Timestamp(nanoseconds: 5_000), [0])
    #expect(!keeper.isOver(at: Timestamp(nanoseconds: 4_000)))
    let end = Timestamp(nanoseconds: .max)
    #expect(keeper.isOver(at: end))
    keeper.close(at: end, [1])
    keeper.finish([2])
    #expect((129...256).contains(keeper.count) && keeper.growth(of: 0).reduce(0, +) == 2)
  }

  // — the census

  /// By looking at every entry.
  private func census(_ history: RandomHistory) -> PageCensus {
    struct Page: Hashable {
      var folio: FolioID
      var page: Int
    }
    let world = history.story.lockstep.baseline
    var (byPMD, byPTE) = (Set<FolioID>(), Set<Page>())
    for mm in history.live {
      world.memory.forEachEntry(mm, .everything) { page, entry in
        guard entry.kind.refersToFolio else { return }
        if world.memory.isPMDMapped(mm, page) {
          byPMD.insert(entry.folio)
        } else {
          byPTE.insert(Page(folio: entry.folio, page: entry.page))
        }
      }
    }
    var census = PageCensus()
    func count(_ flag: Claim, _ pages: Int) {
      switch flag {
      case .exclusive: census.exclusive += UInt64(pages)
      case .shared: census.shared += UInt64(pages)
      case .unknown: census.unknown += UInt64(pages)
      }
    }
    for folio in byPMD { count(world.memory.pageBit(folio, 0), world.memory.pageCount(of: folio)) }
    for page in byPTE where !byPMD.contains(page.folio) { count(world.memory.pageBit(page.folio, page.page), 1) }
    return census
  }

  @Test("What the pool counts is what there is", arguments: [false, true])
  func census(withTHP: Bool) {
    var most = PageCensus()
    for seed in UInt64(1)...(withTHP ? 40 : 200) {
      var history = RandomHistory(seed: seed, withTHP: withTHP)
      for _ in 0..<30 {
        history.step(freesLazily: true)
        let (counted, expected) = (history.story.lockstep.baseline.memory.pageCensus, census(history))
        guard counted == expected else {
          Issue.record("seed \(seed): \(counted), not \(expected): \(history.steps.suffix(3))")
          return
        }
        most.exclusive = max(most.exclusive, counted.exclusive)
        most.shared = max(most.shared, counted.shared)
      }
    }
    #expect(most.exclusive >= (withTHP ? 512 : 4) && most.shared >= (withTHP ? 512 : 4))
  }
}
