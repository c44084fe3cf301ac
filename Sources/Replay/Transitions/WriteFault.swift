// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// The write-protection fault (`do_wp_page`, `do_huge_pmd_wp_page`): keep the page or copy it
/// (docs/semantics.md, "Faults", "Reuse check").
extension World {
  /// What this world would do, asked before the fault is applied. Without side effects.
  package func predictWriteFault(_ mm: MMID, _ page: VirtualPage) -> Prediction {
    guard let ref = memory.find(mm, page) else { return .notMapped }
    let entry = tables.entry(ref)
    switch entry.kind {
    case .none, .swap, .migrationRead, .migrationReadExclusive, .migrationWrite, .devicePrivate, .deviceExclusive,
      .hwpoison, .markerUffdWP, .markerGuard, .markerPoison:
      return .notMapped
    case .zeroPage, .filePage: return .mustReplace
    case .present: break
    }
    if entry.writable { return .alreadyWritable }
    let claim = E.claim(self, ref, entry)
    if claim == .exclusive { return .mustReuse }
    switch (reuseCheck(ref), claim) {
    case (.passes, _): return .mustReuse
    case (.fails(let obstacle), .shared): return .mustCopy(obstacle)
    case (.fails, .unknown): return .eitherWay(.flagNotSeen)
    case (.unknown(let reason), _): return .eitherWay(reason)
    case (_, .exclusive): return .mustReuse
    }
  }

  /// The hint settles what the model cannot know; where the model is certain it settles
  /// itself, unless `follows` says that the kernel was seen and is right.
  package mutating func writeFault(
    _ mm: MMID, _ page: VirtualPage, _ vma: VMAFacts, hint: WriteHint = .unobserved, follows: Bool = false
  ) -> Outcome {
    guard var ref = memory.find(mm, page) else { return .nothing }
    if memory.isHuge(ref), tables.entry(ref).kind == .present {
      if let outcome = hugeWriteFault(ref, vma, hint, follows) { return outcome }
      splitHugeEntry(ref.table)
      ref = EntryRef(table: ref.table, slot: Int(page.rawValue & 511))
    }
    var entry = tables.entry(ref)
    switch entry.kind {
    case .none, .swap, .migrationRead, .migrationReadExclusive, .migrationWrite, .devicePrivate, .deviceExclusive,
      .hwpoison, .markerUffdWP, .markerGuard, .markerPoison:
      return .nothing
    case .zeroPage, .filePage:
      if E.claim(self, ref, entry).isExclusive {
        // Encoding C without its gate takes the KSM zero page for an exclusive one.
        update(vma.granting(entry), at: ref)
        return .done
      }
      drop(ref)
      return installCopy(at: ref, from: entry, vma, .writeCopy)
    case .present: break
    }
    if entry.writable, !follows {
      entry.dirty = true
      entry.givenUp = false
      entry.young = true
      update(entry, at: ref)
      return .noFault
    }
    if keepsPage(ref, entry, hint, follows) {
      return reuse(ref, vma)
    }
    return copy(ref, vma, .writeCopy)
  }

  /// Keep or copy, by this world's own exclusivity, references and (where those are unknown) the kernel's example.
  private func keepsPage(_ ref: EntryRef, _ entry: Entry, _ hint: WriteHint, _ follows: Bool) -> Bool {
    if follows {
      switch hint {
      case .copied: return false
      case .reused: return true
      case .unobserved: break
      }
    }
    let claim = E.claim(self, ref, entry)
    if claim == .exclusive { return true }
    let check = reuseCheck(ref)
    switch hint {
    case .copied(let hiddenReference):
      switch check {
      case .passes: return claim == .shared ? !hiddenReference : false
      case .fails, .unknown: return false
      }
    case .reused:
      switch check {
      case .passes, .unknown: return true
      case .fails: return claim == .unknown
      }
    case .unobserved:
      switch check {
      case .passes: return true
      case .fails: return claim == .unknown
      case .unknown: return true
      }
    }
  }

  /// `wp_page_reuse`, after marking the page exclusive if it was not.
  private mutating func reuse(_ ref: EntryRef, _ vma: VMAFacts) -> Outcome {
    if skips(.writeFaultReuse) { return .nothing }
    let folio = tables.entry(ref).folio
    if E.claim(self, ref, tables.entry(ref)) != .exclusive {
      if folios.flags(folio).contains(.swapCache), memory.canFreeSwapCache(folio) { memory.freeSwapCache(folio) }
      folios.remove(.sharersUnknown, folio)
      E.reused(&self, ref, .write)
    }
    var entry = tables.entry(ref)
    if vma.mayWrite { entry = vma.granting(entry) }
    entry.dirty = true
    entry.givenUp = false
    entry.dirtyUnknown = false
    entry.hardwareDirty = false
    entry.softDirty = true
    entry.young = true
    entry.uffdWP = false
    update(entry, at: ref)
    if !entry.writable { E.installedExclusive(&self, ref, .writeCopy) }
    return .reused(folio)
  }

  /// The rest of a write fault whose reuse check has passed, whatever came between (`wp_page_reuse`).
  package mutating func commitReuse(_ mm: MMID, _ page: VirtualPage, _ vma: VMAFacts) -> Outcome {
    if skips(.commitReuse) { return .nothing }
    guard let ref = memory.find(mm, page), tables.entry(ref).kind == .present else { return .nothing }
    return reuse(ref, vma)
  }

  /// `wp_page_copy`: the old entry is cleared first, the old page keeps its flag.
  mutating func copy(_ ref: EntryRef, _ vma: VMAFacts, _ site: InstallSite) -> Outcome {
    let old = tables.entry(ref)
    let source = old.folio
    let content = folios.content(source, page: old.page)
    // The copy exists before the old page may go, so that the two are never the same.
    let target = memory.newFolio()
    drop(ref)
    _ = installCopy(at: ref, from: old, vma, site, folio: target)
    if options.followsContent { folios.setContent(content, of: target, page: 0) }
    return .copied(from: source, to: target)
  }

  /// `do_huge_pmd_wp_page`. `nil`: the PMD has to be split and the fault retried on the PTE.
  private mutating func hugeWriteFault(
    _ ref: EntryRef, _ vma: VMAFacts, _ hint: WriteHint, _ follows: Bool
  ) -> Outcome? {
    if skips(.hugeWriteFault) { return .nothing }
    let entry = tables.entry(ref)
    if entry.writable {
      var written = entry
      written.dirty = true
      written.givenUp = false
      update(written, at: ref)
      return .noFault
    }
    if keepsPage(ref, entry, hint, follows) { return reuse(ref, vma) }
    guard folios.flags(entry.folio).contains(.hugetlb) else { return nil }
    return copyHugetlb(ref, vma)
  }
}
