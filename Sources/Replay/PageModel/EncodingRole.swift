// SPDX-License-Identifier: GPL-2.0-only

/// What an encoding is in a report.
package enum EncodingRole: Sendable {
  /// Today's kernel, which the others are judged against.
  case today
  case proposal
  /// Claims what another claims, at another price: replayed only where it is named.
  case variant
  /// Read off the entries of the unmodified kernel, to find the places that a patch has to change.
  case audit
  /// Unsafe by construction, to show how often a workload would notice.
  case counterexample

  /// It takes no part in headlines, and in conditions only where it is named.
  package var isInstrument: Bool {
    switch self {
    case .audit, .counterexample: true
    case .today, .proposal, .variant: false
    }
  }
}
