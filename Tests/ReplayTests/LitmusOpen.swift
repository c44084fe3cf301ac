// SPDX-License-Identifier: GPL-2.0-only

/// Worked examples that do not hold yet, and why. The test asks for exactly these: one that starts to hold must leave
/// the list, one that stops holding fails.
enum LitmusOpen {
  static let examples: Set<String> = [
    // The reuse check of a swap entry whose cached large folio is shared is not modelled.
    "A-04",
    // Lazy A maps a page writable at swap-in that must be read-only.
    "A-07",
    // A pinned page under a writable entry is judged CONS-pin before I1-BREAK.
    "A-11b",
    // A stale bit in the PMD table's bitmap is not kept across a collapse.
    "B-12b",
    // The bitmap left behind by a whole-table move is not modelled.
    "B-15",
    // Several page tables in one page are not modelled.
    "B-19",
    // A device-private read entry has one reading only.
    "B-25", "C-36", "C-36b",
    // Shadow-stack faults do not set the shadow-stack bit.
    "C-18",
    // A large folio of which one page is left is reused.
    "G-14",
  ]
}
