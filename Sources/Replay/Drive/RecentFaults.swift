// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// The latest few faults: what may have happened beside something that took a while.
struct RecentFaults {
  private struct Fault: BitwiseCopyable {
    var mm: MMID
    var page: VirtualPage
    var time: Timestamp
  }

  private var faults = ContiguousArray<Fault?>(repeating: nil, count: kept)
  private var next = 0
  private static let kept = 16

  @inline(__always)
  mutating func note(_ mm: MMID, _ page: VirtualPage, _ time: Timestamp) {
    faults[next] = Fault(mm: mm, page: page, time: time)
    next = (next &+ 1) & (Self.kept - 1)
  }

  func any(_ mm: MMID, in range: PageRange, since time: UInt64) -> Bool {
    faults.contains { fault in
      fault.map { $0.mm == mm && range.contains($0.page) && $0.time.nanoseconds >= time } ?? false
    }
  }
}
