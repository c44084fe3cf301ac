// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// arm64: entries of one folio that are handled as one, their dirty bits ORed.
extension World {
  /// `contpte_convert`: a block of entries of one folio, equal in all but young and dirty, becomes one.
  package mutating func contpteFold(_ mm: MMID, _ range: PageRange) -> Outcome {
    guard options.hasContPTE else { return .nothing }
    if skips(.contpteFold) { return .nothing }
    let refs = memory.liveRefs(mm, range)
    guard !refs.isEmpty else { return .nothing }
    let end = batchEnd(refs, from: 0) { first, next in
      next.writable == first.writable && next.softDirty == first.softDirty && E.mayFold(self, first, next)
    }
    guard end == refs.count else { return .nothing }
    orDirty(refs)
    return .done
  }

  /// `mremap_folio_pte_batch`: needs a contpte hint to start, then runs over consecutive pages of the folio that agree
  /// in W; the batch is written back with its dirty bits ORed.
  mutating func batchForMove(_ refs: [EntryRef]) {
    var position = 0
    while position < refs.count {
      let end = batchEnd(refs, from: position) { first, next in
        next.writable == first.writable && E.mayBatch(self, first, next)
      }
      if end - position >= 16 { orDirty(Array(refs[position..<end])) }
      position = end
    }
  }

  private mutating func orDirty(_ refs: [EntryRef]) {
    guard refs.contains(where: { tables.entry($0).dirty }) else { return }
    for ref in refs {
      var entry = tables.entry(ref)
      entry.dirty = true
      update(entry, at: ref)
    }
  }
}
