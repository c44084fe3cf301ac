// SPDX-License-Identifier: GPL-2.0-only

/// What an encoding's claim about one entry is worth against today's per-page flag.
///
/// Let `b` be the baseline's bit, `t` whether nobody else can observe the page, `e` the encoding's claim. When
/// several fit one entry the earlier case wins.
package enum Verdict: String, Sendable, CaseIterable, Comparable, BitwiseCopyable {
  /// e=1 and t=0: a copy would be missed.
  case unsafe = "UNSAFE"
  /// e=1 although the baseline keeps the bit clear on purpose (stable-writes swap writeback).
  case unsafeIO = "UNSAFE-io"
  /// Stored or copied data is discarded because a dirty mark was dropped.
  case dataLoss = "DATA-LOSS"
  /// e=0, b=1 and the page is pinned: a copy would detach the pin.
  case conservativePin = "CONS-pin"
  /// e stays 0 after the fault that was to make it 1.
  case livelock = "LIVELOCK"
  /// A writable entry with e=0.
  case invariantBreak = "I1-BREAK"
  /// e=0, b=1 and the reuse check would fail: an extra copy.
  case conservativeCopy = "CONS-copy"
  /// e=0, b=1 and the reuse check would succeed: an extra fault.
  case conservativeFault = "CONS-fault"
  /// e=b before the operation, e=0 and b=1 right after it: reported in addition to the verdict of the entry, and
  /// never stored as one.
  case lost = "LOST"
  /// e=1, b=0, t=1: fewer faults, harmless.
  case better = "BETTER"
  case ok = "OK"

  package static func < (a: Verdict, b: Verdict) -> Bool { a.severity < b.severity }

  /// 0 is the worst.
  package var severity: Int {
    switch self {
    case .unsafe: 0
    case .unsafeIO: 1
    case .dataLoss: 2
    case .conservativePin: 3
    case .livelock: 4
    case .invariantBreak: 5
    case .conservativeCopy: 6
    case .conservativeFault: 7
    case .lost: 8
    case .better: 9
    case .ok: 10
    }
  }

  /// Four bits for the entry; `ok` is 0 so that a fresh entry holds it.
  package var code: UInt8 { UInt8(truncatingIfNeeded: 10 - severity) }

  package init(code: UInt8) {
    switch code {
    case 10: self = .unsafe
    case 9: self = .unsafeIO
    case 8: self = .dataLoss
    case 7: self = .conservativePin
    case 6: self = .livelock
    case 5: self = .invariantBreak
    case 4: self = .conservativeCopy
    case 3: self = .conservativeFault
    case 2: self = .lost
    case 1: self = .better
    default: self = .ok
    }
  }
}

/// Whether a verdict holds for every value of what is unknown, or only for some.
package enum Certainty: String, Sendable, CaseIterable, BitwiseCopyable {
  case definite
  case possible
}
