// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Device-private pages (mapped by entries that are not present) and device-exclusive access.
extension World {
  /// O-24: write becomes read in both, and the page is shared (this cannot fail).
  mutating func copyDevicePrivate(_ parentRef: EntryRef, _ childRef: EntryRef, _ vma: VMAFacts) -> Bool {
    var entry = tables.entry(parentRef)
    guard E.prepareFork(&self, parent: parentRef, child: childRef, entry: entry) else {
      return options.forkWithoutBitmap == .copy
    }
    entry.writable = false
    entry.exclusiveMark = false
    update(entry, at: parentRef)
    entry.uffdWP = entry.uffdWP && vma.flags.contains(.uffdForkEvent)
    place(entry, at: childRef)
    E.sharedAtFork(&self, parent: parentRef, child: childRef)
    E.devicePrivateReadOnly(&self, childRef, exclusive: false)
    return true
  }

  /// O-84, `restore_exclusive_pte`: the CPU gets the page back.
  package mutating func restoreDeviceExclusive(_ ref: EntryRef, _ vma: VMAFacts) {
    var entry = tables.entry(ref)
    guard entry.kind == .deviceExclusive else { return }
    let folio = FolioID(entry.index)
    let wasExclusive = E.claim(self, ref, entry).isExclusive
    entry.kind = .present
    entry.young = false
    entry.dirty = false
    let mayWrite = wasExclusive && vma.mayWrite && !entry.uffdWP && !vma.needsSoftDirtyWP(entry)
    entry.writable = mayWrite
    if mayWrite { entry.dirty = folios[folio].flags.contains(.dirty) }
    update(entry, at: ref)
    if wasExclusive { E.installedExclusive(&self, ref, .deviceExclusiveRestore) }
  }
}
