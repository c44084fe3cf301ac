// SPDX-License-Identifier: GPL-2.0-only

/// A physical page frame number. Never an address: multiply by the page size at the edge.
package struct PFN: Hashable, Sendable, Comparable, BitwiseCopyable {
  package let rawValue: UInt64

  @inlinable
  package init(_ rawValue: UInt64) { self.rawValue = rawValue }

  @inlinable
  package static func < (a: PFN, b: PFN) -> Bool { a.rawValue < b.rawValue }

  /// The frame `n` pages further on, as the tail pages of a folio are.
  @inlinable
  package func advanced(by n: Int) -> PFN { PFN(rawValue &+ UInt64(truncatingIfNeeded: n)) }
}

/// A user virtual address of some mm. It cannot be dereferenced here.
package struct VirtualAddress: Hashable, Sendable, Comparable, BitwiseCopyable {
  package let rawValue: UInt64

  @inlinable
  package init(_ rawValue: UInt64) { self.rawValue = rawValue }

  @inlinable
  package static func < (a: VirtualAddress, b: VirtualAddress) -> Bool { a.rawValue < b.rawValue }
}

/// A user virtual address in units of base pages (the reference's "vpn").
package struct VirtualPage: Hashable, Sendable, Comparable, BitwiseCopyable {
  package let rawValue: UInt64

  @inlinable
  package init(_ rawValue: UInt64) { self.rawValue = rawValue }

  @inlinable
  package static func < (a: VirtualPage, b: VirtualPage) -> Bool { a.rawValue < b.rawValue }

  @inlinable
  package func advanced(by n: Int) -> VirtualPage { VirtualPage(rawValue &+ UInt64(truncatingIfNeeded: n)) }
}

/// Pages `start ..< end` of one mm.
package struct PageRange: Hashable, Sendable, BitwiseCopyable {
  package var start: VirtualPage
  /// One past the last page.
  package var end: VirtualPage

  @inlinable
  package init(start: VirtualPage, end: VirtualPage) {
    self.start = start
    self.end = Swift.max(start, end)
  }

  @inlinable
  package init(start: VirtualPage, count: Int) { self.init(start: start, end: start.advanced(by: count)) }

  @inlinable
  package var isEmpty: Bool { end <= start }

  @inlinable
  package var count: Int { Int(end.rawValue &- start.rawValue) }

  @inlinable
  package func contains(_ page: VirtualPage) -> Bool { start <= page && page < end }

  @inlinable
  package func overlaps(_ other: PageRange) -> Bool { start < other.end && other.start < end }

  /// The pages in both, or `nil` when there are none.
  @inlinable
  package func intersection(_ other: PageRange) -> PageRange? {
    let low = Swift.max(start, other.start)
    let high = Swift.min(end, other.end)
    return low < high ? PageRange(start: low, end: high) : nil
  }
}

/// One address space (`struct mm_struct`) for the length of its life.
///
/// The kernel recycles mm pointers, mm ids and pids within milliseconds; this number is handed out once and never
/// again, so it needs no epoch of its own. Dense from 0: usable as an array index.
package struct MMID: Hashable, Sendable, Comparable, BitwiseCopyable {
  package let rawValue: UInt32

  @inlinable
  package init(_ rawValue: UInt32) { self.rawValue = rawValue }

  @inlinable
  package static func < (a: MMID, b: MMID) -> Bool { a.rawValue < b.rawValue }
}

/// A thread id in the init pid namespace (`common_pid`). Recycled by the kernel.
package struct TaskID: Hashable, Sendable, Comparable, BitwiseCopyable {
  package let rawValue: Int32

  @inlinable
  package init(_ rawValue: Int32) { self.rawValue = rawValue }

  @inlinable
  package static func < (a: TaskID, b: TaskID) -> Bool { a.rawValue < b.rawValue }
}

/// A logical CPU number.
package struct CPU: Hashable, Sendable, Comparable, BitwiseCopyable {
  package let rawValue: UInt16

  @inlinable
  package init(_ rawValue: UInt16) { self.rawValue = rawValue }

  @inlinable
  package static func < (a: CPU, b: CPU) -> Bool { a.rawValue < b.rawValue }
}

/// Nanoseconds of the capture's trace clock.
package struct Timestamp: Hashable, Sendable, Comparable, BitwiseCopyable {
  package let nanoseconds: UInt64

  @inlinable
  package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  @inlinable
  package static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }
}

/// The position of a raw record in the merged stream of a capture, counted from 1.
///
/// It is the name by which reports, `--until` and histories speak of an event: the same capture always gives the
/// same numbers.
package struct Sequence: Hashable, Sendable, Comparable, BitwiseCopyable {
  package let rawValue: UInt64

  @inlinable
  package init(_ rawValue: UInt64) { self.rawValue = rawValue }

  @inlinable
  package static func < (a: Sequence, b: Sequence) -> Bool { a.rawValue < b.rawValue }
}

/// The order of a folio: it has `1 << rawValue` pages.
package struct FolioOrder: Hashable, Sendable, Comparable, BitwiseCopyable {
  package let rawValue: UInt8

  @inlinable
  package init(_ rawValue: UInt8) {
    precondition(rawValue < 32, "folio order \(rawValue)")
    self.rawValue = rawValue
  }

  package static let base = FolioOrder(0)

  @inlinable
  package static func < (a: FolioOrder, b: FolioOrder) -> Bool { a.rawValue < b.rawValue }

  @inlinable
  package var pageCount: Int { 1 &<< Int(rawValue) }
}
