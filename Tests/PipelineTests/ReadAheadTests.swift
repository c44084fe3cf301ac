// SPDX-License-Identifier: GPL-2.0-only

import Testing

@testable import Pipeline

@Suite("Making batches ahead of their use")
struct ReadAheadTests {
  /// Makes 1, 2, ... in batches of one; returns how many were wanted.
  private func count(to last: Int, deliver: (inout [Int]) -> Bool) -> Int {
    var batch: [Int] = []
    for number in 1...last {
      batch.append(number)
      guard deliver(&batch) else { return number }
      batch.removeAll(keepingCapacity: true)
    }
    return last
  }

  @Test("Batches are used in the order in which they were made", arguments: [1, 2, 8])
  func order(_ batches: Int) throws {
    var used: [Int] = []
    let made = try ReadAhead.run(Array(repeating: [Int](), count: batches)) { deliver in
      count(to: 10_000, deliver: deliver)
    } use: { batch in
      used += batch
      return true
    }
    #expect(made == 10_000)
    #expect(used == Array(1...10_000))
  }

  @Test("Nobody makes more than is wanted and what the batches hold")
  func enough() throws {
    var used = 0
    let made = try ReadAhead.run(Array(repeating: [Int](), count: 4)) { deliver in
      count(to: .max, deliver: deliver)
    } use: { _ in
      used += 1
      return used < 3
    }
    #expect(used == 3)
    #expect(try #require(made) <= 3 + 4 + 1)
  }

  @Test("An error in the making comes after what was made before it")
  func failedMaking() {
    struct Broken: Error {}
    var used: [Int] = []
    #expect(throws: Broken.self) {
      _ = try ReadAhead<[Int], Void>.run(Array(repeating: [], count: 4)) { deliver in
        _ = count(to: 3, deliver: deliver)
        throw Broken()
      } use: { batch in
        used += batch
        return true
      }
    }
    #expect(used == [1, 2, 3])
  }

  @Test("An error in the use ends the making")
  func failedUse() {
    struct Broken: Error {}
    #expect(throws: Broken.self) {
      _ = try ReadAhead.run(Array(repeating: [Int](), count: 4)) { deliver in
        count(to: .max, deliver: deliver)
      } use: { _ in
        throw Broken()
      }
    }
  }
}
