// SPDX-License-Identifier: GPL-2.0-only

/// I13: GUP-fast that succeeds overlapped no fork and saw, after its pin, an unchanged entry that was writable or
/// exclusive.
package enum FastPinSawUnchangedEntry: Rule {
  package static let id = RuleID.i13
  package static let statement =
    "GUP-fast that succeeds overlapped no fork and saw, after its pin, an unchanged entry that was writable or exclusive."
  package static let source = "gup.c:gup_fast"
  package static let danger = "A pin on a page that fork or KSM is sharing at that moment."
  package static let evidence = "The order of steps: explored by `explore`, not visible in a state."
  package static let visibility = RuleVisibility.operation
}
