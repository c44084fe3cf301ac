// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Kernel samepage merging: `write_protect_page`, `replace_page`, and a page that turns KSM in place
/// (docs/semantics.md, "KSM").
extension World {
  /// `write_protect_page`: read-only and clean, not exclusive any more. ksmd holds a reference until `ksmReplace`,
  /// `ksmStable` or `ksmGiveUp`. `busy`: somebody else does too (or has it pinned).
  package mutating func ksmWriteProtect(_ mm: MMID, _ page: VirtualPage) -> Outcome {
    if skips(.ksmWriteProtect) { return .nothing }
    if !ksmPrepared.isEmpty, !takePrepared(mm, page) { return .failed(.busy) }
    guard var ref = memory.find(mm, page), tables.entry(ref).kind == .present else { return .nothing }
    if folios.flags(tables.entry(ref).folio).contains(.large) {
      let outcome = splitFolio(tables.entry(ref).folio)
      guard outcome == .done, let small = memory.find(mm, page) else { return outcome }
      ref = small
    }
    let old = tables.entry(ref)
    let folio = old.folio
    if folios.flags(folio).contains(.ksm) { return .nothing }
    if folios.isHeld(folio) || folios.migrations(folio) > 0 {
      return .failed(.busy)
    }
    guard E.prepareKSM(&self, ref) else { return .failed(.noMemory) }
    if E.isDataDirty(self, old) { memory.markDirty(folio) }
    var entry = E.wrprotected(&self, ref, old, .ksm)
    entry.dirty = false
    entry.dirtyUnknown = false
    entry.hardwareDirty = false
    update(entry, at: ref)
    E.sharedByKSM(&self, ref)
    folios.withSide(folio) { $0.extraReferences += 1 }
    ksmPending.append(PendingMerge(mm: mm, page: page, folio: folio))
    return .done
  }

  /// `folio_set_stable_node`: the write-protected page becomes the stable KSM page itself.
  package mutating func ksmStable(_ mm: MMID, _ page: VirtualPage) -> Outcome {
    if skips(.ksmStable) { return .nothing }
    guard let (ref, folio) = takePending(mm, page) else { return .failed(.busy) }
    folios.insert([.ksm, .dirty], folio)
    update(tables.entry(ref), at: ref)
    touchMappings(of: folio)
    return .done
  }

  /// `replace_page`: the entry maps the stable page of `other` instead, unless it changed since the write protection.
  package mutating func ksmReplace(_ mm: MMID, _ page: VirtualPage, by other: MMID, _ otherPage: VirtualPage) -> Outcome
  {
    if skips(.ksmReplace) { return .nothing }
    guard let stableRef = memory.find(other, otherPage) else { return .nothing }
    let stable = tables.entry(stableRef).folio
    guard tables.entry(stableRef).kind == .present, folios.flags(stable).contains(.ksm) else { return .nothing }
    guard let (ref, folio) = takePending(mm, page) else { return .failed(.busy) }
    guard areIdentical(mm, page, other, otherPage) else {
      memory.release(folio)
      return .failed(.busy)
    }
    let old = tables.entry(ref)
    var entry = Entry(.present, stable)
    entry.softDirty = old.softDirty
    entry.uffdWP = old.uffdWP
    drop(ref)
    place(entry, at: ref)
    return .copied(from: folio, to: stable)
  }

  /// `replace_page` with `use_zero_pages`: the special zero page, tagged by the dirty bit.
  package mutating func ksmReplaceByZero(_ mm: MMID, _ page: VirtualPage) -> Outcome {
    if skips(.ksmReplaceByZero) { return .nothing }
    guard let (ref, folio) = takePending(mm, page) else { return .failed(.busy) }
    guard holdsZeros(mm, page) else {
      memory.release(folio)
      return .failed(.busy)
    }
    drop(ref)
    var entry = Entry(.zeroPage)
    entry.dirty = true
    place(entry, at: ref)
    return .zeroPageMapped
  }

  /// No partner was found: the page stays read-only and not exclusive.
  package mutating func ksmGiveUp(_ mm: MMID, _ page: VirtualPage) -> Outcome {
    _ = takePending(mm, page)
    return .done
  }

  /// Two pages of equal content, the first turning KSM if it is not yet. Pages of unequal content never meet
  /// (`unstable_tree_search_insert`).
  package mutating func ksmMerge(_ a: MMID, _ aPage: VirtualPage, _ b: MMID, _ bPage: VirtualPage) -> Outcome {
    guard let first = memory.find(a, aPage), tables.entry(first).kind == .present else { return .nothing }
    guard let second = memory.find(b, bPage), tables.entry(second).kind == .present, (a, aPage) != (b, bPage) else {
      return .nothing
    }
    guard areIdentical(a, aPage, b, bPage) else { return .failed(.busy) }
    if !folios.flags(tables.entry(first).folio).contains(.ksm) {
      let outcome = ksmWriteProtect(a, aPage)
      guard outcome == .done else { return outcome }
      _ = ksmStable(a, aPage)
    }
    let outcome = ksmWriteProtect(b, bPage)
    guard outcome == .done else { return outcome }
    return ksmReplace(b, bPage, by: a, aPage)
  }

  /// `break_ksm` over a range: an unshare fault each, a write fault in 6.1.
  package mutating func ksmUnmerge(_ mm: MMID, _ range: PageRange, _ vma: VMAFacts) -> Outcome {
    if skips(.ksmUnmerge) { return .nothing }
    for ref in memory.liveRefs(mm, range) {
      let entry = tables.entry(ref)
      guard entry.kind == .present, folios.flags(entry.folio).contains(.ksm) else { continue }
      if facts.unmergeWrites {
        _ = writeFault(mm, memory.owner(ref).page, vma)
      } else {
        _ = unshare(mm, memory.owner(ref).page, vma)
      }
    }
    return .done
  }

  /// Memory is allocated before the PTL is taken: the table that is there now is remembered.
  package mutating func ksmPrepare(_ mm: MMID, _ page: VirtualPage) -> Outcome {
    guard let ref = memory.find(mm, page) else { return .nothing }
    ksmPrepared.append(PreparedTable(mm: mm, page: page, table: ref.table))
    return .done
  }

  /// False: the table is another one, or gone.
  private mutating func takePrepared(_ mm: MMID, _ page: VirtualPage) -> Bool {
    guard let index = ksmPrepared.firstIndex(where: { $0.mm == mm && $0.page == page }) else { return true }
    let prepared = ksmPrepared.remove(at: index)
    guard memory.find(mm, page)?.table != prepared.table else { return true }
    E.preparedTableGone(&self)
    return false
  }

  /// The merge in progress at this page, when the entry is still what it was; ksmd's reference is given back either
  /// way.
  private mutating func takePending(_ mm: MMID, _ page: VirtualPage) -> (EntryRef, FolioID)? {
    if !unpublished.isEmpty {
      let ref = memory.find(mm, page)
      unpublished.removeAll { $0 == ref }
    }
    guard let index = ksmPending.firstIndex(where: { $0.mm == mm && $0.page == page }) else { return nil }
    let folio = ksmPending.remove(at: index).folio
    folios.withSide(folio) { $0.extraReferences -= 1 }
    guard let ref = memory.find(mm, page) else {
      memory.release(folio)
      return nil
    }
    let entry = tables.entry(ref)
    guard entry.kind == .present, entry.folio == folio, !entry.writable, !entry.dirty else {
      memory.release(folio)
      return nil
    }
    return (ref, folio)
  }
}
