// SPDX-License-Identifier: GPL-2.0-only

/// What an encoding is charged for (docs/semantics.md, "Costs"). The unit is part of the name.
package enum CostKind: Int, Sendable, CaseIterable, BitwiseCopyable {
  case pageFlagAtomics
  case structPageLines
  case bitmapLines
  case bitmapBytesNow
  case bitmapBytesPeak
  case bitmapAllocations
  case bitmapAllocationFailures
  case foreignEntryWalks
  case foreignWriteProtects
  case extraTLBFlushes
  case extraFaults
  case extraCopies
  case extraWritebackPages
  case folioMarkDirty

  package var name: String {
    switch self {
    case .pageFlagAtomics: "page_flag_atomics"
    case .structPageLines: "struct_page_lines"
    case .bitmapLines: "bitmap_lines"
    case .bitmapBytesNow: "bitmap_bytes_now"
    case .bitmapBytesPeak: "bitmap_bytes_peak"
    case .bitmapAllocations: "bitmap_allocations"
    case .bitmapAllocationFailures: "bitmap_allocation_failures"
    case .foreignEntryWalks: "foreign_entry_walks"
    case .foreignWriteProtects: "foreign_write_protects"
    case .extraTLBFlushes: "extra_tlb_flushes"
    case .extraFaults: "extra_faults"
    case .extraCopies: "extra_copies"
    case .extraWritebackPages: "extra_writeback_pages"
    case .folioMarkDirty: "folio_mark_dirty"
    }
  }

  /// What one of it is.
  package var unit: String {
    switch self {
    case .pageFlagAtomics: "atomic instructions"
    case .structPageLines, .bitmapLines: "cache lines"
    case .bitmapBytesNow, .bitmapBytesPeak: "bytes"
    case .bitmapAllocations, .bitmapAllocationFailures: "allocations of 64 bytes"
    case .foreignEntryWalks, .foreignWriteProtects: "page-table entries"
    case .extraTLBFlushes: "ranges of one page table"
    case .extraFaults: "faults"
    case .extraCopies, .extraWritebackPages: "pages of 4 KiB"
    case .folioMarkDirty: "calls"
    }
  }

  /// One sentence for `explain` and reports.
  package var definition: String {
    switch self {
    case .pageFlagAtomics:
      "Atomic read-modify-writes of a page or folio flag that exist only to set or clear exclusivity."
    case .structPageLines:
      "struct page cache lines touched only to change the exclusive flag; lines only read are not counted."
    case .bitmapLines: "Bitmap cache lines read or written."
    case .bitmapBytesNow: "Bytes of bitmaps allocated at the end (64 per page table or PMD table that has one)."
    case .bitmapBytesPeak: "Most bytes of bitmaps allocated at any time."
    case .bitmapAllocations: "Bitmaps allocated."
    case .bitmapAllocationFailures: "Bitmap allocations made to fail."
    case .foreignEntryWalks: "Entries of other pages of the folio visited before clearing a folio flag."
    case .foreignWriteProtects: "Entries write-protected because another page of their folio became shared."
    case .extraTLBFlushes:
      "TLB flushes of a range in a page table that the operation itself does not work on, after write-protecting there."
    case .extraFaults: "Write or unshare faults the baseline did not take at that place."
    case .extraCopies: "Pages copied where the baseline reused or did not fault."
    case .extraWritebackPages: "Pages written to swap although the baseline found them clean."
    case .folioMarkDirty: "folio_mark_dirty calls on write-protecting a dirty entry of a clean folio."
    }
  }
}

/// One counter per kind.
package struct CostTable: Sendable {
  private var values = InlineArray<14, UInt64>(repeating: 0)

  package init() {}

  package subscript(kind: CostKind) -> UInt64 {
    @inline(__always) get { values[kind.rawValue] }
    @inline(__always) set { values[kind.rawValue] = newValue }
  }
}
