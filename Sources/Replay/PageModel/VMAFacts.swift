// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// What a transition has to know about the VMA it works in. The caller keeps the VMA map.
package struct VMAFacts: Sendable, BitwiseCopyable, Equatable {
  package var backing: VMABacking
  package var protection: VMAProtection
  package var flags: Flags
  /// The pages of the VMA, for what must not go beyond it; everything where nobody says.
  package var extent = PageRange.everything

  package struct Flags: OptionSet, Sendable, BitwiseCopyable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let wipeOnFork = Flags(rawValue: 1 << 0)
    package static let dontCopy = Flags(rawValue: 1 << 1)
    package static let uffdWP = Flags(rawValue: 1 << 2)
    /// The child's userfaultfd gets fork events, so uffd-wp bits are kept at fork.
    package static let uffdForkEvent = Flags(rawValue: 1 << 3)
    /// Soft-dirty tracking is on: `VM_SOFTDIRTY` is *not* set.
    package static let softDirtyTracked = Flags(rawValue: 1 << 4)
    /// `VM_LOCKED`: swap-in frees the swapcache at once.
    package static let locked = Flags(rawValue: 1 << 5)
    /// x86 `VM_SHADOW_STACK`.
    package static let shadowStack = Flags(rawValue: 1 << 6)
    /// Of hugetlb: fork brought it, so that the pool keeps no page for it (`HPAGE_RESV_OWNER` is the parent).
    package static let inherited = Flags(rawValue: 1 << 7)
    /// Of hugetlb: it has, or may have, an `anon_vma`.
    package static let hasAnonVMA = Flags(rawValue: 1 << 8)
    /// What is copied of it: fork makes all its page tables, empty ones too (`vma_needs_copy`).
    package static let copiesTables = Flags(rawValue: 1 << 9)
    /// Where the protection is unknown: what came here was forced (`FOLL_FORCE`), which does not ask for VM_WRITE.
    package static let writeForced = Flags(rawValue: 1 << 10)
  }

  package init(
    backing: VMABacking = .anonymous, protection: VMAProtection = [.read, .write], flags: Flags = []
  ) {
    self.backing = backing
    self.protection = protection
    self.flags = flags
  }

  package static let anonymous = VMAFacts()
  package static let readOnly = VMAFacts(protection: [.read])

  /// `VM_WRITE`. An unknown protection counts as writable: the fault that asks happened and was not refused.
  package var mayWrite: Bool { protection.contains(.write) || protection.contains(.unknown) }

  /// Neither a protection nor a write that was not refused told whether VM_WRITE is set.
  package var isWriteUnknown: Bool { protection.contains(.unknown) && flags.contains(.writeForced) }

  /// `vma_is_accessible`: a protnone entry is a NUMA hint there.
  var isAccessible: Bool { !protection.isDisjoint(with: [.read, .write, .execute, .unknown]) }

  /// `pte_needs_soft_dirty_wp`: a clean soft-dirty bit keeps the entry read-only so that the next write is seen.
  func needsSoftDirtyWP(_ entry: Entry) -> Bool { flags.contains(.softDirtyTracked) && !entry.softDirty }

  /// `maybe_mkwrite`.
  @inline(__always)
  func granting(_ entry: Entry, if isGranted: Bool = true) -> Entry {
    var entry = entry
    entry.writable = isGranted && mayWrite && !isWriteUnknown
    entry.writableUnknown = isGranted && isWriteUnknown
    return marking(entry)
  }

  /// What is dirty where, and only where, it is writable (`do_anonymous_page`).
  @inline(__always)
  func grantingDirty(_ entry: Entry, if isGranted: Bool = true) -> Entry {
    var entry = granting(entry, if: isGranted)
    entry.dirty = mayWrite && !isWriteUnknown
    entry.dirtyUnknown = isWriteUnknown
    return entry
  }

  /// `pte_mkwrite(pte, vma)`: on x86 a writable entry of a shadow stack is one without Write.
  func marking(_ entry: Entry) -> Entry {
    var entry = entry
    entry.shadowStack = entry.writable && flags.contains(.shadowStack)
    return entry
  }
}
