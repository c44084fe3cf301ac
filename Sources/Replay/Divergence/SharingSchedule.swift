// SPDX-License-Identifier: GPL-2.0-only

/// When it is worth the time to look for equal page state in the worlds: not before there is enough to gain, and the
/// less often the more had been found to differ. Nothing of the result depends on it.
struct SharingSchedule: Sendable {
  /// Bytes that the encodings' worlds may have of their own, together, beyond what was found to differ.
  private let allowance: Int
  private var limit: Int
  private var operations: UInt64 = 0

  /// Without an allowance every operation is followed by a look.
  init(allowance: Int) {
    self.allowance = allowance
    limit = allowance
  }

  /// Few operations change much, fork apart.
  @inline(__always)
  mutating func looks(after operation: Operation) -> Bool {
    operations &+= 1
    if case .forkCopy = operation { return true }
    return operations & 63 == 0 || allowance == 0
  }

  func isDue(_ ownBytes: Int) -> Bool { ownBytes > limit || allowance == 0 }

  mutating func done(leaving ownBytes: Int) { limit = ownBytes + (allowance == 0 ? 0 : max(ownBytes / 4, allowance)) }
}
