// SPDX-License-Identifier: GPL-2.0-only

/// What the model is run for, and the machine it pretends to be.
package struct WorldOptions: Sendable, Equatable {
  /// Stores are not seen (a trace): a writable entry may have been dirtied by hardware at any time.
  package var storesAreSilent = false
  /// Page faults are not seen either: what an entry is believed to be may have been copied or reused since.
  package var faultsAreSilent = false
  /// Follow page contents, to find discarded data.
  package var followsContent = false
  /// Stores say which of them hold equal data: KSM merges nothing else.
  package var knowsEqualData = false
  /// A folio under migration is locked: who needs the lock too does not get it. A trace may have missed the end of a
  /// migration, and what it shows after that is right.
  package var keepsFolioLocks = false
  /// A transition that does nothing, to see who notices.
  package var skipped: KernelPath?

  // — the machine

  /// Two page tables share a page (s390, ppc). Without `b.multi` they share their bits.
  package var hasTwoTablesPerPage = false
  /// arm64: runs of entries may be folded, and are moved in batches.
  package var hasContPTE = false
  /// x86 without the CET guarantee: Dirty may appear in an entry that lost Write meanwhile.
  package var hardwareDirtiesReadOnly = false

  // — what a proposal leaves open, or does wrongly

  /// Encoding B: the number of bitmap allocations that succeed before they fail; `nil`: all.
  package var bitmapAllocationBudget: Int?
  /// Encoding B: what fork does when an allocation fails.
  package var forkWithoutBitmap = ForkWithoutBitmap.abort
  /// Encoding B: what KSM does with the bitmap of a table that was reclaimed before it took the PTL.
  package var ksmAfterReclaim = KSMAfterReclaim.findsTableAgain
  /// Encoding B: fork fills the bitmap of the table at the head of the deposit list, taking it for the PMD's own.
  package var fillsDepositAtFork = false
  /// What a read-only device-private entry is taken for where B or C forgot them; `nil`: B takes it for exclusive
  /// (no bit), C for shared (no dirty bit).
  package var devicePrivateReadsAs: Claim?
  /// Encoding C: Dirty that hardware set in a read-only entry is neither exclusivity nor data.
  package var discardsHardwareDirty = false
  /// Of a batch, `mprotect` asks the folio's first pages instead of the batch's (6.17-rc, mended by cf1b80dc31a1).
  package var protectsByWrongPage = false

  package enum ForkWithoutBitmap: Sendable, Equatable { case abort, copy }
  package enum KSMAfterReclaim: Sendable, Equatable { case findsTableAgain, keepsTable, forgetsBitmap }

  package init() {}
}

/// What no entry shows.
package struct Incidents: OptionSet, Sendable, BitwiseCopyable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Memory was read or written after it was freed.
  package static let useAfterFree = Incidents(rawValue: 1 << 0)
  /// Memory was lost.
  package static let leak = Incidents(rawValue: 1 << 1)
}
