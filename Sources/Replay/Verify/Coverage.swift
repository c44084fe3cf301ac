// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// How much is known over the time of a capture: where a recording joined what was running already, the model knows
/// little at first and more with every fault and snapshot.
///
/// At most 16 slices of equal length. When the capture outgrows them neighbours join and slices are twice as long, so
/// its length need not be known; the result does not depend on how the events come in batches.
struct Coverage: Sendable {
  private static let most = 16
  private var start: Timestamp?
  /// Nanoseconds.
  private var width: UInt64 = 1 << 20
  private var slices: [(checked: UInt64, known: UInt64)] = []

  mutating func note(isKnown: Bool, at time: Timestamp) {
    let start = self.start ?? time
    if self.start == nil { self.start = time }
    let offset = time < start ? 0 : time.nanoseconds - start.nanoseconds
    while offset / width >= Self.most { widen() }
    let index = Int(offset / width)
    while slices.count <= index { slices.append((0, 0)) }
    slices[index].checked += 1
    if isKnown { slices[index].known += 1 }
  }

  private mutating func widen() {
    width *= 2
    slices = stride(from: 0, to: slices.count, by: 2).map { first in
      let second = first + 1 < slices.count ? slices[first + 1] : (checked: 0, known: 0)
      return (slices[first].checked + second.checked, slices[first].known + second.known)
    }
  }

  /// The slices in which something was checked, in order.
  var result: [CoverageSlice] {
    slices.enumerated().filter { $0.element.checked > 0 }.map { index, slice in
      CoverageSlice(
        start: UInt64(index) * width, end: UInt64(index + 1) * width, checked: slice.checked, known: slice.known)
    }
  }
}
