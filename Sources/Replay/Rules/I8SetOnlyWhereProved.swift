// SPDX-License-Identifier: GPL-2.0-only

/// I8: Exclusivity is set only by installing a new folio, exclusive swap-in or restore, a successful reuse check, and
/// the split of an exclusive PMD.
package enum SetOnlyWhereProved: Rule {
  package static let id = RuleID.i8
  package static let statement =
    "Exclusivity is set only by installing a new folio, exclusive swap-in or restore, a successful reuse check, and the split of an exclusive PMD."
  package static let source = "all callers of SetPageAnonExclusive"
  package static let danger = "A page declared exclusive without proof may be shared."
  package static let evidence = "The transition and the claims before and after."
  package static let visibility = RuleVisibility.operation
}
