// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// The VMAs of one mm as far as the trace has told: sorted and not overlapping. Neighbours that are alike become one
/// when one of them is set, as the kernel merges them: a heap may grow a page at a time.
struct VMAMap {
  struct VMA {
    var range: PageRange
    var facts: VMAFacts
  }

  private(set) var vmas: [VMA] = []

  static let unknown = VMAFacts(backing: .unknown, protection: .unknown)

  /// The facts at a page; unknown ones where nothing was told (the stack growing, an attached mm).
  func facts(at page: VirtualPage) -> VMAFacts {
    let index = firstIndex(endingAfter: page)
    guard index < vmas.count, vmas[index].range.contains(page) else { return Self.unknown }
    return vmas[index].facts
  }

  /// The VMA at a page, with neighbours that are like it; `nil` where none was told.
  func range(around page: VirtualPage) -> PageRange? {
    let index = firstIndex(endingAfter: page)
    return index < vmas.count && vmas[index].range.contains(page) ? vmas[index].range : nil
  }

  /// Private memory of hugetlb lies in the range.
  func hasHugetlb(in range: PageRange) -> Bool {
    vmas.contains { $0.facts.backing.isHugetlb && $0.range.overlaps(range) }
  }

  /// The pieces of the range with one set of facts each, gaps included as unknown, in address order.
  func pieces(of range: PageRange) -> [VMA] {
    var pieces: [VMA] = []
    var position = range.start
    var index = firstIndex(endingAfter: range.start)
    while index < vmas.count, let part = vmas[index].range.intersection(range) {
      if position < part.start {
        pieces.append(VMA(range: PageRange(start: position, end: part.start), facts: Self.unknown))
      }
      if let last = pieces.last, last.range.end == part.start, last.facts == vmas[index].facts {
        // The kernel merges them too, and may map a huge page across.
        pieces[pieces.count - 1].range = PageRange(start: last.range.start, end: part.end)
      } else {
        pieces.append(VMA(range: part, facts: vmas[index].facts))
      }
      position = part.end
      index += 1
    }
    if position < range.end {
      pieces.append(VMA(range: PageRange(start: position, end: range.end), facts: Self.unknown))
    }
    return pieces
  }

  /// What lies between the VMAs on both sides of a range that has none.
  func hole(around range: PageRange) -> PageRange {
    let next = firstIndex(endingAfter: range.start)
    return PageRange(
      start: next > 0 ? vmas[next - 1].range.end : PageRange.everything.start,
      end: next < vmas.count ? vmas[next].range.start : PageRange.everything.end)
  }

  mutating func set(_ range: PageRange, _ facts: VMAFacts) {
    guard !range.isEmpty else { return }
    remove(range)
    let index = firstIndex(endingAfter: range.start)
    let joinsLast = index > 0 && vmas[index - 1].range.end == range.start && vmas[index - 1].facts == facts
    let joinsNext = index < vmas.count && vmas[index].range.start == range.end && vmas[index].facts == facts
    switch (joinsLast, joinsNext) {
    case (false, false): vmas.insert(VMA(range: range, facts: facts), at: index)
    case (true, false): vmas[index - 1].range.end = range.end
    case (false, true): vmas[index].range.start = range.start
    case (true, true):
      vmas[index - 1].range.end = vmas[index].range.end
      vmas.remove(at: index)
    }
  }

  mutating func remove(_ range: PageRange) {
    guard !range.isEmpty else { return }
    let first = firstIndex(endingAfter: range.start)
    var last = first
    var kept: [VMA] = []
    while last < vmas.count, vmas[last].range.overlaps(range) {
      let vma = vmas[last]
      if vma.range.start < range.start {
        kept.append(VMA(range: PageRange(start: vma.range.start, end: range.start), facts: vma.facts))
      }
      if range.end < vma.range.end {
        kept.append(VMA(range: PageRange(start: range.end, end: vma.range.end), facts: vma.facts))
      }
      last += 1
    }
    vmas.replaceSubrange(first..<last, with: kept)
  }

  /// Changes the facts of the range piece by piece; gaps stay gaps unless `fillsGaps`.
  mutating func change(_ range: PageRange, fillsGaps: Bool = false, _ body: (inout VMAFacts) -> Void) {
    let old = pieces(of: range)
    remove(range)
    var index = firstIndex(endingAfter: range.start)
    for var piece in old where fillsGaps || piece.facts != Self.unknown {
      body(&piece.facts)
      vmas.insert(piece, at: index)
      index += 1
    }
  }

  /// Index of the first VMA that ends after the page.
  private func firstIndex(endingAfter page: VirtualPage) -> Int {
    var low = 0
    var high = vmas.count
    while low < high {
      let middle = (low + high) / 2
      if vmas[middle].range.end <= page { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
