// SPDX-License-Identifier: GPL-2.0-only

package import Replay

/// The rules of which reports speak: invariants of the kernel, and what each encoding has to add.
package enum RuleCatalogue {
  package struct Rule: Sendable {
    package let entry: CatalogueEntry
    /// The encodings it is a rule for.
    package let encodings: [EncodingID]
  }

  package static let all: [Rule] = kernel + ofA + ofB + ofC

  private static func rule(
    _ name: String, _ summary: String, _ source: String, _ text: String, for encodings: [EncodingID]
  ) -> Rule {
    Rule(entry: CatalogueEntry(name: name, summary: summary, text: text, source: source), encodings: encodings)
  }

  private static let everyone = EncodingID.allCases

  private static let kernel: [Rule] = [
    rule(
      "I1", "a writable entry implies an exclusive page", "do_swap_page, remove_migration_pmd, try_to_migrate_one",
      "Holds for present writable PTEs and for write migration entries: nothing would ever notice the sharing.",
      for: everyone),
    rule(
      "I2", "an exclusive page is referred to by exactly one entry, over all mms", "__folio_add_anon_rmap",
      "No entry at all is allowed too: the bit is stale then, and goes with the page.", for: everyone),
    rule(
      "I3", "no swap or migration entry of another mm refers to the content of an exclusive page",
      "copy_nonpresent_pte", "An entry that is not present shares as much as one that is.", for: everyone),
    rule(
      "I4", "KSM pages, the zero page and special mappings are never exclusive", "page-flags.h, folio_set_stable_node",
      "They are shared by design, whatever the bit of an encoding says.", for: everyone),
    rule(
      "I5", "a page pinned with FOLL_PIN keeps its exclusivity until it is freed", "sanity_check_pinned_pages",
      "No operation may make its entry shared: fork copies it, KSM and swap leave it alone.", for: everyone),
    rule(
      "I6", "a new FOLL_PIN is granted on exclusive pages only", "follow_page_pte, gup_must_unshare",
      "Otherwise the pin would be on a page that the next write fault replaces.", for: everyone),
    rule(
      "I7", "exclusivity ends by fork, temporary unmapping, KSM or free, under the lock of the page table", "rmap.h",
      "With the entry cleared first, except in fork, which relies on write_protect_seq.", for: everyone),
    rule(
      "I8", "exclusivity begins by a new page, an exclusive restore, a successful reuse check or a PMD split",
      "SetPageAnonExclusive and its callers", "Nothing else may set it.", for: everyone),
    rule(
      "I9", "an exclusive swap entry is the only one of its slot", "check_swap_exclusive, do_swap_page",
      "The page in the swap cache does not carry the bit while only swap entries refer to it.", for: everyone),
    rule(
      "I10", "while a swap or migration entry stands for the page, the entry carries the bit", "do_swap_page",
      "The page's own bit is clear meanwhile.", for: everyone),
    rule(
      "I11", "of a PMD-mapped folio only the head page's bit counts", "__split_huge_pmd_locked",
      "The tails are clear until the split, which only sets: a stale tail bit would become UNSAFE there.",
      for: everyone),
    rule(
      "I12", "after fork every shared entry is read-only in parent and child", "copy_present_ptes",
      "What was made shared must fault on the next write, on both sides.", for: everyone),
    rule(
      "I13", "GUP-fast that succeeded overlapped no fork and saw an unchanged entry after its pin", "gup_fast",
      "write_protect_seq and the re-read of the entry are the two halves of it.", for: everyone),
    rule(
      "I14", "an exclusive page is not mapped twice inside one mm", "__wp_can_reuse_large_anon_folio",
      "mremap moves, it never duplicates.", for: everyone),
    rule(
      "I15", "zapping never sets or clears exclusivity", "zap_pte_range",
      "When the other sharers go, the last one is promoted by its next fault, not earlier.", for: everyone),
    rule(
      "I16", "mprotect, NUMA hinting, userfaultfd and soft-dirty never change exclusivity", "change_pte_range",
      "They change what an access does, not who owns the page.", for: everyone),
  ]

  private static let ofA = [
    rule(
      "A1", "folio flag set: every mapped page of the folio satisfies I2 and I3", "approach (A)",
      "The flag speaks for the mapped part of the folio only.", for: [.aAndLazy, .aAndEager, .aOr])
  ]

  private static let ofB = [
    rule(
      "B1", "bit 0, or no bitmap: I2 and I3 hold for that entry", "approach (B)",
      "For normal anonymous pages that are not KSM's.", for: [.b]),
    rule(
      "B2", "a bitmap belongs to exactly one live page table and is freed not earlier than it", "approach (B)",
      "GUP-fast reads it without a lock.", for: [.b]),
    rule("B3", "an entry with bit 1 is read-only", "approach (B)", "I1 in the words of (B).", for: [.b]),
  ]

  private static let ofC = [
    rule(
      "C1", "writable or dirty: I2 and I3 hold for that entry", "approach (C)",
      "For normal anonymous pages that are not KSM's.", for: [.cRaw, .cStrict]),
    rule(
      "C2", "exclusive implies writable or dirty", "approach (C)", "Otherwise exclusivity was forgotten.",
      for: [.cRaw, .cStrict]),
    rule(
      "C3", "data is dirty iff the folio is, or the entry is writable and dirty", "approach (C)",
      "A dirty bit on a read-only entry says nothing about data.", for: [.cStrict]),
  ]
}
