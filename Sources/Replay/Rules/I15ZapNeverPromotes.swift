// SPDX-License-Identifier: GPL-2.0-only

/// I15: Zapping (exit, munmap, MADV_DONTNEED) neither sets nor clears exclusivity.
package enum ZapNeverPromotes: Rule {
  package static let id = RuleID.i15
  package static let statement =
    "Zapping (exit, munmap, MADV_DONTNEED) neither sets nor clears exclusivity."
  package static let source = "memory.c:zap_present_folio_ptes"
  package static let danger = "A promotion without the reuse check's references would be wrong."
  package static let evidence = "The transition and the claims before and after."
  package static let visibility = RuleVisibility.operation
}
