// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// The VMAs of one mm in a story. Neighbours that agree in everything are one, as `vma_merge` would have it: a
/// batch never crosses a VMA.
struct LitmusVMAMap: Sendable {
  struct Area: Sendable {
    var pages: Range<Int>
    var vma: LitmusVMA

    /// What the transitions have to know.
    var facts: VMAFacts {
      var facts = vma.facts
      facts.extent = PageRange(pages)
      return facts
    }
  }

  private(set) var areas: [Area] = []

  func area(at page: Int) -> Area? { areas.first { $0.pages.contains(page) } }

  func vma(at page: Int) -> LitmusVMA? { area(at: page)?.vma }

  /// The parts of the range that lie in VMAs, in address order.
  func parts(in range: Range<Int>) -> [Area] {
    areas.compactMap { area in
      let common = area.pages.clamped(to: range)
      return common.isEmpty ? nil : Area(pages: common, vma: area.vma)
    }
  }

  mutating func remove(_ range: Range<Int>) {
    var kept: [Area] = []
    for area in areas {
      guard area.pages.overlaps(range) else {
        kept.append(area)
        continue
      }
      if area.pages.lowerBound < range.lowerBound {
        kept.append(Area(pages: area.pages.lowerBound..<range.lowerBound, vma: area.vma))
      }
      if range.upperBound < area.pages.upperBound {
        kept.append(Area(pages: range.upperBound..<area.pages.upperBound, vma: area.vma))
      }
    }
    areas = kept
  }

  mutating func insert(_ pages: Range<Int>, _ vma: LitmusVMA) {
    remove(pages)
    areas.append(Area(pages: pages, vma: vma))
    merge()
  }

  mutating func change(_ range: Range<Int>, _ body: (inout LitmusVMA) -> Void) {
    for part in parts(in: range) {
      var vma = part.vma
      body(&vma)
      remove(part.pages)
      areas.append(Area(pages: part.pages, vma: vma))
    }
    merge()
  }

  private mutating func merge() {
    areas.sort { $0.pages.lowerBound < $1.pages.lowerBound }
    var merged: [Area] = []
    for area in areas {
      if let last = merged.last, last.pages.upperBound == area.pages.lowerBound, last.vma == area.vma {
        merged[merged.count - 1].pages = last.pages.lowerBound..<area.pages.upperBound
      } else {
        merged.append(area)
      }
    }
    areas = merged
  }
}

extension LitmusVMA {
  fileprivate var facts: VMAFacts {
    var flags: VMAFacts.Flags = []
    if dontFork { flags.insert(.dontCopy) }
    if wipeOnFork { flags.insert(.wipeOnFork) }
    if softDirty { flags.insert(.softDirtyTracked) }
    if locked { flags.insert(.locked) }
    if shadowStack { flags.insert(.shadowStack) }
    return VMAFacts(backing: backing, protection: protection.bits, flags: flags)
  }
}

extension LitmusProtection {
  var bits: VMAProtection {
    switch self {
    case .none: []
    case .readOnly: [.read]
    case .readWrite: [.read, .write]
    case .readExecute: [.read, .execute]
    case .readWriteExecute: [.read, .write, .execute]
    }
  }
}

extension PageRange {
  init(_ pages: Range<Int>) {
    self.init(
      start: VirtualPage(UInt64(pages.lowerBound)), end: VirtualPage(UInt64(max(pages.lowerBound, pages.upperBound))))
  }
}

extension LitmusEntryRange {
  var half: Range<Int> { pages.lowerBound..<pages.upperBound + 1 }
}
