// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What is known of hugetlb beside the model's state.
struct HugetlbPages {
  /// What a read of a private mapping of a file found there, which is not in the page tables of the model.
  enum Content {
    /// The file's page.
    case file
    /// The file's, or an anonymous one where the file has none.
    case either
  }

  /// Without `tlb_flush` nothing shows a copy.
  let seesFlushes: Bool
  /// Any private memory of hugetlb was seen to be used.
  private(set) var isSeen = false
  /// When entries of it went last, of whichever mm.
  var lastRemoval: Timestamp?
  /// Those in which a call took references or pins at addresses that are not told (`io_uring_register`).
  private(set) var pinning: Set<MMID> = []
  /// By mm, and the first page of each huge page.
  private var read: [MMID: [VirtualPage: Content]] = [:]

  /// Faults that fill a huge page, which takes milliseconds, by tasks that were not heard of since.
  private var filling: [(task: TaskID, mm: MMID, place: PageRange)] = []

  init(seesFlushes: Bool) { self.seesFlushes = seesFlushes }

  mutating func note() { isSeen = true }

  mutating func pins(in mm: MMID) { pinning.insert(mm) }

  mutating func fills(_ mm: MMID, _ place: PageRange, _ task: TaskID) { filling.append((task, mm, place)) }

  func fills(in mm: MMID) -> [PageRange] { filling.filter { $0.mm == mm }.map(\.place) }

  /// The task does something else.
  @inline(__always)
  mutating func goesOn(_ task: TaskID) {
    if !filling.isEmpty { filling.removeAll { $0.task == task } }
  }

  subscript(mm: MMID, head: VirtualPage) -> Content? {
    get { read.isEmpty ? nil : read[mm]?[head] }
    set { if newValue != nil || !read.isEmpty { read[mm, default: [:]][head] = newValue } }
  }

  mutating func forget(_ mm: MMID) {
    if !read.isEmpty { read[mm] = nil }
    pinning.remove(mm)
  }

  mutating func removed(_ mm: MMID, _ range: PageRange, at time: Timestamp) {
    lastRemoval = time
    guard let all = read[mm] else { return }
    read[mm] = all.filter { !range.contains($0.key) }
  }

  mutating func moved(_ mm: MMID, _ source: PageRange, _ destination: VirtualPage) {
    guard let all = read[mm] else { return }
    let shift = destination.rawValue &- source.start.rawValue
    read[mm] = [:]
    for (head, content) in all {
      read[mm]?[source.contains(head) ? VirtualPage(head.rawValue &+ shift) : head] = content
    }
  }

  /// `copy_hugetlb_page_range`.
  mutating func forked(_ parent: MMID, _ child: MMID, _ range: PageRange) {
    guard let all = read[parent] else { return }
    for (head, content) in all where range.contains(head) { read[child, default: [:]][head] = content }
  }
}
