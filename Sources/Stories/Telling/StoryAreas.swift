// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// The VMAs of one process of a story that is being told.
struct StoryAreas {
  struct Area: Equatable {
    var pages: Range<Int>
    var facts: VMAFacts
  }

  private(set) var all: [Area] = []

  func facts(at page: Int) -> VMAFacts? { all.first { $0.pages.contains(page) }?.facts }

  /// The parts of the range that lie in VMAs, in order.
  func parts(in range: Range<Int>) -> [Area] {
    all.compactMap { area in
      let common = area.pages.clamped(to: range)
      return common.isEmpty ? nil : Area(pages: common, facts: area.facts)
    }
  }

  mutating func remove(_ range: Range<Int>) {
    all = all.flatMap { area -> [Area] in
      guard area.pages.overlaps(range) else { return [area] }
      let ends = [(area.pages.lowerBound, range.lowerBound), (range.upperBound, area.pages.upperBound)]
      return ends.filter { $0.0 < $0.1 }.map { Area(pages: $0.0..<$0.1, facts: area.facts) }
    }
  }

  mutating func set(_ range: Range<Int>, _ facts: VMAFacts) {
    remove(range)
    all.append(Area(pages: range, facts: facts))
    all.sort { $0.pages.lowerBound < $1.pages.lowerBound }
  }

  mutating func change(_ range: Range<Int>, _ body: (inout VMAFacts) -> Void) {
    for part in parts(in: range) {
      var facts = part.facts
      body(&facts)
      set(part.pages, facts)
    }
  }
}

extension VMAFacts {
  /// Pages of files stand behind it.
  var isFile: Bool { backing.holdsFilePages }

  /// As `vma` and `mprotect` have it. What is not known is taken for what most memory has.
  var protectionWord: String {
    if protection.contains(.unknown) { return "rw" }
    switch (protection.contains(.write), protection.contains(.execute), protection.isEmpty) {
    case (_, _, true): return "none"
    case (true, true, _): return "rwx"
    case (true, false, _): return "rw"
    case (false, true, _): return "rx"
    case (false, false, _): return "ro"
    }
  }

  var backingWord: String? { isFile ? "file" : backing == .shared ? "shared" : backing.isHugetlb ? "hugetlb" : nil }
}
