// SPDX-License-Identifier: GPL-2.0-only

/// What an encoding says about one entry.
package enum Claim: UInt8, Sendable, BitwiseCopyable {
  case shared
  case exclusive
  /// The fact it rests on was never seen.
  case unknown

  package init(_ isExclusive: Bool) { self = isExclusive ? .exclusive : .shared }

  package var isExclusive: Bool { self == .exclusive }

  /// What it may be in truth.
  package var possibleValues: [Bool] {
    switch self {
    case .shared: [false]
    case .exclusive: [true]
    case .unknown: [false, true]
    }
  }
}
