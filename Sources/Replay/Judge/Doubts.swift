// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Why what the model holds of a page may not be so, though nothing in its state says it.
package enum DoubtCause: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  /// fork copied a page of this VMA at once because it may be pinned (`copy_present_page`); which one is not told.
  case forkCopiedPinned
  /// A read or write with `O_DIRECT`, or `io_uring_register`, may have brought a huge page of hugetlb's in, or copied it:
  /// GUP, which takes it from a pool, shows nothing of that; nor does a fork that copies it at once because it is pinned.
  case hugetlbPinned
  /// A read of a file of hugetlbfs took mmap_lock, as for a page that the file has not, which becomes anonymous; but not
  /// for that alone.
  case hugetlbContent
  /// A read or write with `O_DIRECT` met a page that nobody else maps: if GUP came so far, it made the page exclusive in
  /// its place, which shows in no event.
  case keptForPin
  /// A userfaultfd may have taken the fault, or moved the page.
  case userfaultfd
  /// Another process wrote to this memory at an address that is not told (`process_vm_writev`, a debugger).
  case remoteAccess
  /// The kernel was seen to be the only user of the page that the model has mapped here, too.
  case excludedByKernel
  /// The frame was freed while the model mapped it here.
  case frameFreed
  /// A write fault showed nothing where a copy was expected; the page's next event tells what it was.
  case openDecision
  /// A write fault kept the page, or copied it: the folio that came then may be GUP's, in a call right after it.
  case keptOrCopied
  /// Another task is removing the mapping.
  case removal
  /// Records were lost: anything may have happened, to whomever.
  case loss
  /// The kernel showed something else, and why the model did not know is open.
  case refuted
}

/// What is in doubt of the entries of every mm, from which cause: the one account that drive, witness and judge read,
/// so that they cannot differ about what is known.
///
/// Of a page in doubt today's bit and the truth are unknown, and so is what the page is to others who map it.
package struct Doubts: Sendable {
  private struct Span: Sendable {
    var range: PageRange
    var cause: DoubtCause
  }

  /// Sorted by address, not overlapping; never empty.
  private var spans: [MMID: [Span]] = [:]

  /// What tasks are removing now: entries there may be gone already.
  private var removals: [(task: TaskID, mm: MMID, range: PageRange)] = []

  package init() {}

  @inline(__always)
  package var isEmpty: Bool { spans.isEmpty && removals.isEmpty }

  /// Why the entry is in doubt; `nil`: it is not.
  package func cause(_ mm: MMID, _ page: VirtualPage) -> DoubtCause? {
    if let spans = spans[mm] {
      let index = Self.firstIndex(spans, endingAfter: page)
      if index < spans.count, spans[index].range.contains(page) { return spans[index].cause }
    }
    return removals.contains { $0.mm == mm && $0.range.contains(page) } ? .removal : nil
  }

  /// As far as others than the task have to do with it.
  package func cause(_ mm: MMID, _ page: VirtualPage, besides task: TaskID) -> DoubtCause? {
    let cause = cause(mm, page)
    guard cause == .removal else { return cause }
    return removals.contains { $0.mm == mm && $0.range.contains(page) && $0.task != task } ? cause : nil
  }

  package mutating func removalBegan(_ task: TaskID, _ mm: MMID, _ range: PageRange) {
    removalEnded(task)
    removals.append((task, mm, range))
  }

  package mutating func removalEnded(_ task: TaskID) {
    if !removals.isEmpty { removals.removeAll { $0.task == task } }
  }

  /// The range is in doubt from here on. A cause that was there before gives way to the new one, but for loss.
  package mutating func add(_ mm: MMID, _ range: PageRange, _ cause: DoubtCause) {
    guard !range.isEmpty else { return }
    let lost = cause == .loss ? [] : parts(mm, range, of: .loss)
    replace(mm, range, by: cause)
    for part in lost { replace(mm, part, by: .loss) }
  }

  private mutating func replace(_ mm: MMID, _ range: PageRange, by cause: DoubtCause) {
    remove(mm, range)
    let index = Self.firstIndex(spans[mm] ?? [], endingAfter: range.start)
    spans[mm, default: []].insert(Span(range: range, cause: cause), at: index)
  }

  private func parts(_ mm: MMID, _ range: PageRange, of cause: DoubtCause) -> [PageRange] {
    (spans[mm] ?? []).compactMap { $0.cause == cause ? $0.range.intersection(range) : nil }
  }

  package mutating func add(_ mm: MMID, _ page: VirtualPage, _ cause: DoubtCause) {
    add(mm, PageRange(start: page, count: 1), cause)
  }

  /// What is there now was seen, or is gone. Loss outlasts it: whose a task's memory is, which forks were under way and
  /// who left for another program may have been in what was lost, so what is seen later may be of another mm.
  package mutating func settle(_ mm: MMID, _ range: PageRange) {
    guard !spans.isEmpty, spans[mm] != nil else { return }
    let lost = parts(mm, range, of: .loss)
    remove(mm, range)
    for part in lost { replace(mm, part, by: .loss) }
  }

  package mutating func settle(_ mm: MMID, _ page: VirtualPage) {
    if !spans.isEmpty { settle(mm, PageRange(start: page, count: 1)) }
  }

  /// Doubts of one cause only: of the others what was seen says nothing.
  package mutating func settle(_ mm: MMID, _ range: PageRange, ofCause cause: DoubtCause) {
    guard !spans.isEmpty else { return }
    for part in parts(mm, range, of: cause) { remove(mm, part) }
  }

  /// The child's entries are as doubtful as those they were copied from.
  package mutating func forked(_ parent: MMID, _ child: MMID, _ range: PageRange) {
    guard !spans.isEmpty, let all = spans[parent] else { return }
    for span in all {
      if let part = span.range.intersection(range) { add(child, part, span.cause) }
    }
  }

  /// `mremap` took the entries along.
  package mutating func moved(_ mm: MMID, _ source: PageRange, _ destination: VirtualPage) {
    guard !spans.isEmpty, let all = spans[mm] else { return }
    let found = all.compactMap { span in span.range.intersection(source).map { ($0, span.cause) } }
    settle(mm, source)
    settle(mm, PageRange(start: destination, count: source.count))
    for (part, cause) in found {
      let start = VirtualPage(destination.rawValue &+ (part.start.rawValue &- source.start.rawValue))
      add(mm, PageRange(start: start, count: part.count), cause)
    }
  }

  /// The mm is gone.
  package mutating func forget(_ mm: MMID) {
    spans[mm] = nil
    if !removals.isEmpty { removals.removeAll { $0.mm == mm } }
  }

  private mutating func remove(_ mm: MMID, _ range: PageRange) {
    guard var all = spans[mm] else { return }
    let first = Self.firstIndex(all, endingAfter: range.start)
    var last = first
    var kept: [Span] = []
    while last < all.count, all[last].range.overlaps(range) {
      let span = all[last]
      if span.range.start < range.start {
        kept.append(Span(range: PageRange(start: span.range.start, end: range.start), cause: span.cause))
      }
      if range.end < span.range.end {
        kept.append(Span(range: PageRange(start: range.end, end: span.range.end), cause: span.cause))
      }
      last += 1
    }
    guard first < last else { return }
    all.replaceSubrange(first..<last, with: kept)
    spans[mm] = all.isEmpty ? nil : all
  }

  private static func firstIndex(_ spans: [Span], endingAfter page: VirtualPage) -> Int {
    var low = 0
    var high = spans.count
    while low < high {
      let middle = (low + high) / 2
      if spans[middle].range.end <= page { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
