// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// The latest few faults: what may have happened beside something that took a while.
struct RecentFaults {
  private struct Fault: BitwiseCopyable {
    var mm: MMID
    var page: VirtualPage
    var time: Timestamp
  }

  private var faults: ContiguousArray<Fault> = []
  private var next = 0
  private static let kept = 16

  @inline(__always)
  mutating func note(_ mm: MMID, _ page: VirtualPage, _ time: Timestamp) {
    let fault = Fault(mm: mm, page: page, time: time)
    if faults.count < Self.kept {
      faults.append(fault)
    } else {
      faults[next] = fault
      next = (next &+ 1) & (Self.kept - 1)
    }
  }

  func any(_ mm: MMID, in range: PageRange, since time: UInt64) -> Bool {
    faults.contains { $0.mm == mm && range.contains($0.page) && $0.time.nanoseconds >= time }
  }
}
