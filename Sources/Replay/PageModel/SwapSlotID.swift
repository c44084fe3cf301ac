// SPDX-License-Identifier: GPL-2.0-only

/// One slot of a swap device. Given out anew once nothing names it.
package struct SwapSlotID: Hashable, Sendable, BitwiseCopyable {
  package let rawValue: UInt32

  @inline(__always)
  package init(_ rawValue: UInt32) { self.rawValue = rawValue }
}
