// SPDX-License-Identifier: GPL-2.0-only

/// Counted apart, and never added up: what holds for certain, and what holds for some values of what is unknown.
package struct CertaintyCounts: Sendable, Equatable {
  package var definite: UInt64 = 0
  package var possible: UInt64 = 0

  package init(definite: UInt64 = 0, possible: UInt64 = 0) { (self.definite, self.possible) = (definite, possible) }

  package var isZero: Bool { definite == 0 && possible == 0 }

  package subscript(certainty: Certainty) -> UInt64 {
    get {
      switch certainty {
      case .definite: definite
      case .possible: possible
      }
    }
    set {
      switch certainty {
      case .definite: definite = newValue
      case .possible: possible = newValue
      }
    }
  }
}
