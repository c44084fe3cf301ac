// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Who is related by fork, and what relatives gave up with MADV_FREE.
struct Families {
  /// A call of MADV_FREE.
  struct LazyFree {
    let mm: MMID
    let family: MMID
    let range: PageRange
    let task: TaskID
    let sequence: Sequence
  }

  /// The oldest known of each family, by member.
  private var founders: [MMID: MMID] = [:]
  /// When those that were forked came into being.
  private var births: [MMID: Sequence] = [:]
  /// The oldest first; the latest so many.
  private var calls: [LazyFree] = []
  private static let callsKept = 1024

  mutating func forked(_ parent: MMID, _ child: MMID, _ sequence: Sequence) {
    let founder = founders[parent] ?? parent
    (founders[parent], founders[child]) = (founder, founder)
    births[child] = sequence
  }

  mutating func exited(_ mm: MMID) { (founders[mm], births[mm]) = (nil, nil) }

  /// Without relatives, nobody else maps what it gives up.
  mutating func gaveUp(_ mm: MMID, _ range: PageRange, _ record: MMEventRecord) {
    guard let family = founders[mm] else { return }
    if calls.count == Self.callsKept { calls.removeFirst(Self.callsKept / 2) }
    calls.append(LazyFree(mm: mm, family: family, range: range, task: record.task, sequence: record.sequence))
  }

  /// The last that gave up the page at this address, and was a relative by then.
  func call(over page: VirtualPage, notOf mm: MMID) -> LazyFree? {
    guard let family = founders[mm] else { return nil }
    return calls.last { call in
      call.mm != mm && call.family == family && call.range.contains(page)
        && births[mm].map { $0 < call.sequence } ?? true
    }
  }
}
