// SPDX-License-Identifier: GPL-2.0-only

/// I7: Exclusivity is cleared only by fork, temporary unmapping, KSM and free, under the PTL that covers the entry.
package enum ClearedOnlyWhereAllowed: Rule {
  package static let id = RuleID.i7
  package static let statement =
    "Exclusivity is cleared only by fork, temporary unmapping, KSM and free, under the PTL that covers the entry."
  package static let source = "rmap.h:__folio_try_dup_anon_rmap, folio_try_share_anon_rmap"
  package static let danger = "Other code relies on it staying set."
  package static let evidence = "The transition and the claims before and after."
  package static let visibility = RuleVisibility.operation
}
