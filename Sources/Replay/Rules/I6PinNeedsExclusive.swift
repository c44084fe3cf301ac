// SPDX-License-Identifier: GPL-2.0-only

/// I6: A new FOLL_PIN is only granted on an exclusive page.
package enum PinNeedsExclusive: Rule {
  package static let id = RuleID.i6
  package static let statement =
    "A new FOLL_PIN is only granted on an exclusive page."
  package static let source = "gup.c:follow_page_pte, gup_must_unshare"
  package static let danger = "The pin and the page table can diverge at the next write."
  package static let evidence = "The claim at the moment of the pin."
  package static let visibility = RuleVisibility.operation
}
