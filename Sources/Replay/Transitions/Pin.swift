// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// GUP: pins (`FOLL_PIN`), plain references (`FOLL_GET`), and writes through `FOLL_FORCE`
/// (docs/semantics.md, "GUP").
extension World {
  /// `follow_page_pte`: faults, copies or unshares until the page may be pinned. `livelock` when the unshare fault
  /// does not help. `force`: FOLL_FORCE.
  package mutating func pin(
    _ mm: MMID, _ page: VirtualPage, _ vma: VMAFacts, write: Bool, force: Bool = false
  ) -> Outcome {
    guard mayGetUserPages(vma, write: write, force: force) else { return .failed(.fault) }
    for _ in 0..<5 {
      guard let ref = memory.find(mm, page) else {
        let outcome = faultIn(mm, page, vma, write: write)
        if case .failed = outcome { return outcome }
        continue
      }
      let entry = tables.entry(ref)
      guard entry.kind == .present else {
        if entry.kind == .zeroPage, !write { return .noFault }
        let outcome = faultIn(mm, page, vma, write: write)
        if case .failed = outcome { return outcome }
        continue
      }
      if write ? mayFollowWrite(ref, entry, vma, force: force) : mayFollowRead(ref, entry) {
        return takePin(ref, mm, page, write: write)
      }
      if write {
        _ = faultIn(mm, page, vma, write: true)
      } else {
        if case .failed = unshareForGUP(mm, page, vma) { return .failed(.livelock) }
      }
    }
    return .failed(.livelock)
  }

  /// `check_vma_flags` (6.12): writing asks for VM_WRITE, and never for a shadow stack, unless it is forced.
  private func mayGetUserPages(_ vma: VMAFacts, write: Bool, force: Bool) -> Bool {
    if write {
      return force ? vma.backing != .hugetlb || vma.mayWrite : vma.mayWrite && !vma.flags.contains(.shadowStack)
    }
    return force || !vma.protection.isDisjoint(with: [.read, .unknown])
  }

  private func mayFollowRead(_ ref: EntryRef, _ entry: Entry) -> Bool {
    entry.writable || E.claim(self, ref, entry) == .exclusive
  }

  /// `can_follow_write_pte` (6.12): FOLL_FORCE follows a read-only entry to an exclusive page only where the VMA is not
  /// writable; elsewhere the write fault makes it writable.
  private func mayFollowWrite(_ ref: EntryRef, _ entry: Entry, _ vma: VMAFacts, force: Bool) -> Bool {
    if entry.writable { return true }
    guard force, !vma.mayWrite, vma.backing != .shared else { return false }
    return E.claim(self, ref, entry) == .exclusive && !entry.uffdWP && !vma.needsSoftDirtyWP(entry)
  }

  mutating func takePin(_ ref: EntryRef, _ mm: MMID, _ page: VirtualPage, write: Bool) -> Outcome {
    if skips(.pin) { return .nothing }
    let entry = tables.entry(ref)
    let folio = entry.folio
    // FOLL_TOUCH: the folio, never the entry, is marked.
    if write, !E.isDataDirty(self, entry) { memory.markDirty(folio) }
    let inFolio = memory.contentPage(ref, entry, page)
    folios.withSide(folio) { side in
      side.pins += 1
      if side.pagePins.isEmpty { side.pagePins = Array(repeating: 0, count: side.order.pageCount) }
      side.pagePins[inFolio] += 1
    }
    pins.append(PinRecord(mm: mm, page: page, folio: folio, pageInFolio: inFolio))
    if let slot = memory.slot(of: mm) { mms[Int(slot)]?.hasPinned = true }
    touch(ref)
    return .reused(folio)
  }

  /// What a kernel with CONFIG_DEBUG_VM looks at when the newest pin taken through this page is given back.
  func unpinCheck(_ mm: MMID, _ page: VirtualPage) -> UnpinCheck? {
    guard let record = pins.last(where: { $0.mm == mm && $0.page == page }) else { return nil }
    return E.unpinCheck(self, record.folio, page: record.pageInFolio)
  }

  /// `unpin_user_page`: the newest pin taken through this page is given back.
  package mutating func unpin(_ mm: MMID, _ page: VirtualPage) -> Outcome {
    if skips(.unpin) { return .nothing }
    guard let index = pins.lastIndex(where: { $0.mm == mm && $0.page == page }) else { return .nothing }
    let record = pins.remove(at: index)
    folios.withSide(record.folio) { side in
      side.pins -= 1
      side.pagePins[record.pageInFolio] -= 1
    }
    if folios.flags(record.folio).contains(.diverged) { touchMappings(of: record.folio) }
    memory.release(record.folio)
    if let ref = memory.find(mm, page) { touch(ref) }
    return .done
  }

  /// The device writes through the pin: wherever the pinned page is by now.
  package mutating func storeThroughPin(_ mm: MMID, _ page: VirtualPage) -> Outcome {
    guard let record = pins.last(where: { $0.mm == mm && $0.page == page }) else { return .nothing }
    folios.setContent(takeVersion(), of: record.folio, page: record.pageInFolio)
    memory.markDirty(record.folio)
    return .done
  }

  /// `FOLL_GET`: a plain reference (pipe, LRU batch, speculative lookup) blocks reuse, KSM and migration.
  package mutating func takeReference(_ mm: MMID, _ page: VirtualPage) -> Outcome {
    if skips(.takeReference) { return .nothing }
    guard let ref = memory.find(mm, page), tables.entry(ref).kind.refersToFolio else { return .nothing }
    let folio = tables.entry(ref).folio
    folios.withSide(folio) { $0.extraReferences += 1 }
    memory.references.append(PinRecord(mm: mm, page: page, folio: folio, pageInFolio: 0))
    touchMappings(of: folio)
    return .done
  }

  package mutating func dropReference(_ mm: MMID, _ page: VirtualPage) -> Outcome {
    guard let index = memory.references.lastIndex(where: { $0.mm == mm && $0.page == page }) else { return .nothing }
    let folio = memory.references.remove(at: index).folio
    folios.withSide(folio) { $0.extraReferences -= 1 }
    touchMappings(of: folio)
    memory.release(folio)
    return .done
  }

  /// A write into a private VMA without VM_WRITE (ptrace, /proc/PID/mem). `isUprobe`: `__uprobe_write`, the entry
  /// itself becomes dirty.
  package mutating func forcedStore(
    _ mm: MMID, _ page: VirtualPage, _ vma: VMAFacts, isUprobe: Bool = false
  ) -> Outcome {
    if skips(.forcedStore) { return .nothing }
    guard mayGetUserPages(vma, write: true, force: true) else { return .failed(.fault) }
    var last = Outcome.nothing
    for _ in 0..<5 {
      guard let ref = memory.find(mm, page), tables.entry(ref).kind == .present else {
        last = faultIn(mm, page, vma, write: true)
        if case .failed = last { return last }
        continue
      }
      var entry = tables.entry(ref)
      if mayFollowWrite(ref, entry, vma, force: true) {
        if !E.isDataDirty(self, entry) { memory.markDirty(entry.folio) }
        if isUprobe {
          entry.dirty = true
          update(entry, at: ref)
          E.installedExclusive(&self, ref, .writeCopy)
        }
        recordStore(ref, page)
        return last == .nothing ? .noFault : last
      }
      last = faultIn(mm, page, vma, write: true)
    }
    return .failed(.livelock)
  }

  /// Entries moved, and the pins taken through them.
  mutating func movePins(_ mm: MMID, _ source: PageRange, to destination: VirtualPage) {
    for index in pins.indices where pins[index].mm == mm && source.contains(pins[index].page) && !pins[index].isZapped {
      let offset = pins[index].page.rawValue &- source.start.rawValue
      pins[index].page = VirtualPage(destination.rawValue &+ offset)
    }
  }

  /// The mm gave the pages up: whatever it maps there next, the pins have nothing to do with it.
  mutating func zapPins(_ mm: MMID, _ range: PageRange) {
    for index in pins.indices where pins[index].mm == mm && range.contains(pins[index].page) {
      pins[index].isZapped = true
    }
  }
}
