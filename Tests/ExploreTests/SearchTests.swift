// SPDX-License-Identifier: GPL-2.0-only

import Testing

@testable import Explore

struct SearchTests {
  /// Two increments that are not atomic: 1 is possible in the end, in four steps.
  @Test func theShortestOrderThatLosesAnUpdateIsFound() throws {
    let text = """
      model m
      shared counter 0..3
      at-end LOST "an increment is lost" counter != 2
      actor increment
        register seen 0..3
        r: seen = counter "reads"
        w: counter = seen + 1 "writes"
      end
      row R "t"
        model m
        actor increment
        actor other = increment
      end
      """
    let result = try Small.result(text)
    #expect(result.verdicts == ["LOST"])
    let schedule = try #require(result.violations.first).schedule
    #expect(schedule.lines.map(\.step) == ["r", "r", "w", "w"])
    #expect(schedule.final == ["counter = 1"])
    // Counted by hand, by what the counter is: 4 states before anybody wrote, 4 with one write and 2 more where the
    // other read it, 2 in the end. Who is who exchanged: 4 pairs of them are one.
    var options = SearchOptions()
    options.reductions = false
    #expect(try Small.result(text, options).exploration.states == 12)
    #expect(try Small.result(text).exploration.states == 8)
  }

  /// Locks taken in opposite orders: joining steps must not hide it.
  @Test(arguments: [true, false]) func aDeadlockIsFound(reductions: Bool) throws {
    let text = """
      model m
      shared a lock
      shared b lock
      actor one
        lock a
        lock b
        unlock b
        unlock a
      end
      actor two
        lock b
        lock a
        unlock a
        unlock b
      end
      row R "t"
        model m
        actor one
        actor two
      end
      """
    var options = SearchOptions()
    options.reductions = reductions
    #expect(try Small.result(text, options).verdicts == ["DEADLOCK"])
  }

  /// Two actors that each store, then load what the other stores.
  static let storeBuffering = """
    model m
    shared x flag
    shared y flag
    shared a flag
    shared b flag
    at-end SB "both read 0" !a && !b
    actor left relaxed
      register r flag
      x = 1
      f: smp_mb
      r = y
      a = r
    end
    actor right relaxed
      register r flag
      y = 1
      f: smp_mb
      r = x
      b = r
    end
    row R "t"
      model m
      actor left
      actor right
    end
    """
  static let messagePassing = """
    model m
    shared data flag
    shared ready flag
    shared seen flag
    shared got flag
    at-end MP "ready without data" seen && !got
    actor writer relaxed
      data = 1
      w: smp_wmb
      ready = 1
    end
    actor reader relaxed
      register r flag
      register d flag
      r = ready
      b: smp_rmb
      d = data
      seen = r
      got = d
    end
    row R "t"
      model m
      actor writer
      actor reader
    end
    """

  /// The two litmus tests everybody knows (memory-barriers.txt; Sewell et al., x86-TSO, 2010).
  @Test func storeBufferingIsSeenUnderTSOAndMessagePassingIsNot() throws {
    for (memory, isSeen) in [(MemoryModel.sc, false), (.tso, true), (.weak, true)] {
      #expect(try Small.result(Self.storeBuffering, memory: memory, without: ["f"]).verdicts == (isSeen ? ["SB"] : []))
      #expect(try Small.result(Self.storeBuffering, memory: memory).verdicts == [])
    }
    for (memory, isSeen) in [(MemoryModel.sc, false), (.tso, false), (.weak, true)] {
      for barrier in ["w", "b"] {
        #expect(
          try Small.result(Self.messagePassing, memory: memory, without: [barrier]).verdicts == (isSeen ? ["MP"] : []))
      }
      #expect(try Small.result(Self.messagePassing, memory: memory).verdicts == [])
    }
  }

  /// A lock's acquire and a write barrier before it are no full barrier: store, lock, load may be seen as load, store.
  @Test func takingALockIsNoFullBarrierButUnderTSOItIs() throws {
    let text = Self.storeBuffering
      .replacing("x = 1\n  f: smp_mb", with: "x = 1\n  smp_wmb\n  lock l")
      .replacing("shared x flag", with: "shared x flag\nshared l lock")
    #expect(try Small.result(text, memory: .tso).verdicts == [])
    #expect(try Small.result(text, memory: .weak).verdicts == ["SB"])
  }

  @Test func theStateLimitLeavesTheAnswerOpen() throws {
    var options = SearchOptions()
    options.stateLimit = 3
    let result = try Small.result(Self.storeBuffering, options)
    #expect(result.result == .limit)
    #expect(ExploreRun(results: [result]).conclusion == .inconclusive)
  }

  /// What is protected by a lock everywhere is joined; what somebody reads without it is not.
  @Test func onlyProtectedStepsAreJoined() throws {
    func text(_ reader: String) -> String {
      """
      model m
      shared l lock
      shared x 0..3
      shared y 0..3
      shared seen flag
      actor writer
        lock l
        x = 1
        y = 1
        unlock l
      end
      actor reader
        register a 0..3
        register b 0..3
        \(reader)
        a = x
        b = y
        if a != b
          seen = 1
        end
        \(reader.isEmpty ? "" : "unlock l")
      end
      at-end TORN "half of it was seen" seen
      row R "t"
        model m
        actor writer
        actor reader
      end
      """
    }
    #expect(try Small.result(text("lock l")).verdicts == [])
    #expect(try Small.result(text("")).verdicts == ["TORN"])
  }
}
