// SPDX-License-Identifier: GPL-2.0-only

import Testing

@testable import Explore

struct MutationTests {
  @Test func aNeededLockIsNoticedAndANeedlessOneIsNot() throws {
    let text = """
      model m
      shared needed lock
      shared needless lock
      shared counter 0..3
      at-end LOST "an increment is lost" counter != 2
      actor increment
        register seen 0..3
        lock needless
        unlock needless
        lock needed
        r: seen = counter
        w: counter = seen + 1
        unlock needed
      end
      row R "t"
        model m
        actor increment
        actor increment
      end
      """
    var library = InterleavingLibrary()
    try library.add(text: text, file: "small.model")
    let cells = try ExploreRun.cells([], CellSelection(), &library)
    let outcomes = try MutationRun.run(cells, in: library, SearchOptions())
    let noticed = Dictionary(uniqueKeysWithValues: outcomes.map { ($0.mutation.text, $0.noticedBy != nil) })
    #expect(
      noticed == [
        "lock needed": true, "lock needless": false, "r: seen = counter": true, "w: counter = seen + 1": true,
      ])
  }
}
