// SPDX-License-Identifier: GPL-2.0-only

/// I16: mprotect, NUMA hints, userfaultfd-wp and soft-dirty never change exclusivity.
package enum ProtectionKeepsExclusivity: Rule {
  package static let id = RuleID.i16
  package static let statement =
    "mprotect, NUMA hints, userfaultfd-wp and soft-dirty never change exclusivity."
  package static let source = "mprotect.c:change_pte_range"
  package static let danger = "A page silently loses (or gains) exclusivity."
  package static let evidence = "The transition and the claims before and after."
  package static let visibility = RuleVisibility.operation
}
