// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// A state is made that a rule forbids, by writing to the world past all transitions: the rule says so, and had nothing
/// to say before.
@Suite("Rules of the state")
struct RuleTests {
  /// What a rule says of a world before and after `damage`.
  private static func said<E: Encoding>(
    _ rule: any Rule.Type, of world: World<E>, _ damage: (inout World<E>) -> Void
  ) -> (before: Int, after: Int) {
    var damaged = world
    damage(&damaged)
    return (rule.violations(in: world).count, rule.violations(in: damaged).count)
  }

  private static func rewrite<E: Encoding>(
    _ world: inout World<E>, _ mm: MMID, _ page: VirtualPage, _ change: (inout Entry) -> Void
  ) {
    guard let ref = world.memory.find(mm, page) else { return }
    var entry = world.memory.entry(ref)
    change(&entry)
    world.tables.write(entry, at: ref)
  }

  /// The bit of one page of P's folio.
  private static func setToday(_ world: inout World<Baseline>, _ index: Int, _ bit: Bool) {
    world.memory.setPageBit(world.memory.entry(Story.p, Story.base).folio, index, bit)
  }

  /// Of encoding B, with another bit for the page, or the entry made writable.
  private static func bitmapSaid(_ rule: any Rule.Type, of story: Story, bit: Bool?) -> (before: Int, after: Int)? {
    EncodingRegistry.encoding(.b).flatMap { said($0, rule, of: story, bit: bit) }
  }

  private static func said<E: Encoding>(
    _ encoding: E.Type, _ rule: any Rule.Type, of story: Story, bit: Bool?
  ) -> (before: Int, after: Int)? {
    guard let world = story.lockstep.lane(E.self)?.world, let ref = world.memory.find(Story.p, Story.base) else {
      return nil
    }
    return said(rule, of: world) { world in
      if let bit {
        guard var bitmaps = world.own as? TableBitmaps else { return }
        bitmaps.setBit(ref, bit)
        if let changed = bitmaps as? E.State { world.own = changed }
      } else {
        rewrite(&world, Story.p, Story.base) { $0.writable = true }
      }
    }
  }

  /// P's page 0, shared with Q by fork.
  private static var shared: Story {
    var story = Story()
    story.write(Story.p, 0)
    story.fork()
    return story
  }

  private static var pinned: Story {
    var story = Story()
    story.write(Story.p, 0)
    story.pin(Story.p, 0, write: true)
    return story
  }

  private static func todayBroken(_ rule: any Rule.Type) -> (before: Int, after: Int)? {
    switch rule.id {
    case .i1, .i12:
      return said(rule, of: shared.lockstep.baseline) { rewrite(&$0, Story.q, Story.base) { $0.writable = true } }
    case .i2: return said(rule, of: shared.lockstep.baseline) { setToday(&$0, 0, true) }
    case .i3:
      var story = shared
      story.swapOut(Story.q, 0, keeps: true)
      story.read(Story.p, 0)
      return said(rule, of: story.lockstep.baseline) { setToday(&$0, 0, true) }
    case .i5: return said(rule, of: pinned.lockstep.baseline) { setToday(&$0, 0, false) }
    case .i9:
      var story = shared
      story.swapOut(Story.p, 0)
      return said(rule, of: story.lockstep.baseline) { rewrite(&$0, Story.p, Story.base) { $0.exclusiveMark = true } }
    case .i10:
      var story = Story()
      story.write(Story.p, 0)
      story.apply(.migrationBegin(Story.p, story.page(0)))
      return said(rule, of: story.lockstep.baseline) { setToday(&$0, 0, true) }
    case .i11:
      var story = Story()
      story.apply(.hugeFault(Story.p, story.page(0), story.vma, write: true, isHugetlb: false))
      return said(rule, of: story.lockstep.baseline) { setToday(&$0, 5, true) }
    case .i14:
      var story = Story()
      story.write(Story.p, 0)
      return said(rule, of: story.lockstep.baseline) { world in
        guard let second = world.memory.find(Story.p, Story.base.advanced(by: 1)) else { return }
        world.place(world.memory.entry(Story.p, Story.base), at: second)
      }
    default: return nil
    }
  }

  private static func encodingBroken(_ rule: any Rule.Type) -> (before: Int, after: Int)? {
    switch rule.id {
    case .a1:
      return shared.lockstep.aAndEager.map { lane in
        said(rule, of: lane.world) { $0.memory.setFolioBit($0.memory.entry(Story.p, Story.base).folio, true) }
      }
    case .b1: return bitmapSaid(rule, of: shared, bit: false)
    case .b2:
      var story = Story()
      story.write(Story.p, 0)
      return bitmapSaid(rule, of: story, bit: true)
    case .b3: return bitmapSaid(rule, of: shared, bit: nil)
    case .c1:
      return shared.lockstep.lane(PTEBits.self).map { lane in
        said(rule, of: lane.world) { rewrite(&$0, Story.p, Story.base) { $0.writable = true } }
      }
    case .c2:
      return pinned.lockstep.lane(PTEBits.self).map { lane in
        said(rule, of: lane.world) { rewrite(&$0, Story.p, Story.base) { ($0.writable, $0.dirty) = (false, false) } }
      }
    // Today's claim of a special page is never exclusive, whatever its bits are; C's is what they say.
    case .i4:
      var story = Story(without: [.cZero])
      story.read(Story.p, 0)
      return story.lockstep.lane(PTEBits.self).map { lane in
        said(rule, of: lane.world) { rewrite(&$0, Story.p, Story.base) { $0.dirty = true } }
      }
    default: return nil
    }
  }

  @Test("Each of them finds a state that breaks it", arguments: RuleID.allCases)
  func findsBroken(_ id: RuleID) throws {
    let rule = try #require(RuleCatalogue.all.first { $0.id == id })
    guard rule.visibility == .state, EncodingID.allCases.contains(where: { rule.applies(to: $0) }) else { return }
    let broken = try #require(
      Self.todayBroken(rule) ?? Self.encodingBroken(rule), "no state that breaks \(id.rawValue)")
    #expect(broken.before == 0)
    #expect(broken.after > 0)
  }

  /// What report, JSON and KTAP name a divergence by.
  @Test("A divergence is reported under the rule that its verdict breaks: the encoding's own first, the kernel's else")
  func named() {
    func rule(_ encoding: EncodingID, _ verdict: Verdict, _ transition: Transition) -> RuleID? {
      verdict.brokenRule(encoding, at: transition)
    }
    for a in [EncodingID.aAndLazy, .aAndEager, .aOr] { #expect(rule(a, .unsafe, .fork) == .a1) }
    if EncodingID.allCases.contains(.b) {
      #expect(rule(.b, .unsafe, .fork) == .b1 && rule(.b, .unsafeIO, .writeFault) == .b1)
      #expect(rule(.b, .invariantBreak, .mprotect) == .b3)
    }
    #expect(rule(.cStrict, .unsafe, .fork) == .c1 && rule(.cRaw, .unsafe, .fork) == .c1)
    #expect(rule(.cStrict, .dataLoss, .swapOut) == .c3)
    #expect(rule(.aAndEager, .invariantBreak, .mprotect) == .i1)
    for id in [EncodingID.aAndEager, .b, .cStrict] {
      #expect(rule(id, .conservativePin, .fork) == .i5)
      #expect(rule(id, .livelock, .unshare) == .i6)
      #expect(rule(id, .better, .exit) == .i8)
      #expect(rule(id, .lost, .exit) == .i15 && rule(id, .conservativeCopy, .zap) == .i15)
      #expect(rule(id, .conservativeFault, .mprotect) == .i16 && rule(id, .lost, .numa) == .i16)
      #expect(rule(id, .conservativeCopy, .migrationRestore) == (id == .cStrict ? .c2 : .i7))
      #expect(rule(id, .ok, .fork) == nil)
    }
  }
}
