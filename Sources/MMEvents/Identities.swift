// SPDX-License-Identifier: GPL-2.0-only

/// What `Dictionary` asks of its keys. Nearly every event is looked up in several: the standard library's hash
/// withstands keys chosen to collide, at many times the cost, and these numbers come from a kernel.
@inlinable @inline(__always)
func multiplicativeHash(_ number: UInt64, _ seed: Int) -> Int {
  Int(truncatingIfNeeded: ((number ^ UInt64(truncatingIfNeeded: seed)) &* 0x9e37_79b9_7f4a_7c15) &>> 32)
}

/// A physical page frame number. Never an address: multiply by the page size at the edge.
public struct PFN: Hashable, Sendable, Comparable, BitwiseCopyable {
  public let rawValue: UInt64

  @inlinable
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }

  /// No machine has frames from here on: `MAX_PHYSMEM_BITS` of x86 with four levels of page tables is 46.
  @inlinable
  public static var end: PFN { PFN(1 << (46 - 12)) }

  @inlinable
  public static func < (a: PFN, b: PFN) -> Bool { a.rawValue < b.rawValue }

  @inlinable
  public func _rawHashValue(seed: Int) -> Int { multiplicativeHash(rawValue, seed) }

  /// The frame `n` pages further on, as the tail pages of a folio are.
  @inlinable
  public func advanced(by n: Int) -> PFN { PFN(rawValue &+ UInt64(truncatingIfNeeded: n)) }
}

/// A user virtual address of some mm. It cannot be dereferenced here.
public struct VirtualAddress: Hashable, Sendable, Comparable, BitwiseCopyable {
  public let rawValue: UInt64

  @inlinable
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }

  @inlinable
  public static func < (a: VirtualAddress, b: VirtualAddress) -> Bool { a.rawValue < b.rawValue }
}

/// A user virtual address in units of base pages ("vpn" in the kernel's rmap walks).
public struct VirtualPage: Hashable, Sendable, Comparable, BitwiseCopyable {
  public let rawValue: UInt64

  @inlinable
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }

  @inlinable
  public static func < (a: VirtualPage, b: VirtualPage) -> Bool { a.rawValue < b.rawValue }

  @inlinable
  public func advanced(by n: Int) -> VirtualPage { VirtualPage(rawValue &+ UInt64(truncatingIfNeeded: n)) }
}

/// Pages `start ..< end` of one mm.
public struct PageRange: Hashable, Sendable, BitwiseCopyable {
  public var start: VirtualPage
  /// One past the last page.
  public var end: VirtualPage

  @inlinable
  public init(start: VirtualPage, end: VirtualPage) {
    self.start = start
    self.end = Swift.max(start, end)
  }

  @inlinable
  public init(start: VirtualPage, count: Int) { self.init(start: start, end: start.advanced(by: count)) }

  /// The naturally aligned pages that a folio of this order covers around one of them.
  @inlinable
  public init(around page: VirtualPage, _ order: FolioOrder) {
    self.init(start: VirtualPage(page.rawValue & ~UInt64(order.pageCount &- 1)), count: order.pageCount)
  }

  @inlinable
  public var isEmpty: Bool { end <= start }

  @inlinable
  public var count: Int { Int(end.rawValue &- start.rawValue) }

  /// More than any address space has: the range of a call that names none, as `mlockall`.
  public var isEverything: Bool { count > 1 << 45 }

  @inlinable
  public func contains(_ page: VirtualPage) -> Bool { start <= page && page < end }

  @inlinable
  public func overlaps(_ other: PageRange) -> Bool { start < other.end && other.start < end }

  /// The pages in both, or `nil` when there are none.
  @inlinable
  public func intersection(_ other: PageRange) -> PageRange? {
    let low = Swift.max(start, other.start)
    let high = Swift.min(end, other.end)
    return low < high ? PageRange(start: low, end: high) : nil
  }
}

/// One address space (`struct mm_struct`) for the length of its life.
///
/// The kernel recycles mm pointers, mm ids and pids within milliseconds; this number is handed out once and never
/// again, so it needs no epoch of its own. Dense from 0: usable as an array index.
public struct MMID: Hashable, Sendable, Comparable, BitwiseCopyable {
  public let rawValue: UInt32

  @inlinable
  public init(_ rawValue: UInt32) { self.rawValue = rawValue }

  @inlinable
  public func _rawHashValue(seed: Int) -> Int { multiplicativeHash(UInt64(rawValue), seed) }

  @inlinable
  public static func < (a: MMID, b: MMID) -> Bool { a.rawValue < b.rawValue }
}

/// A thread id in the init pid namespace (`common_pid`). Recycled by the kernel.
public struct TaskID: Hashable, Sendable, Comparable, BitwiseCopyable {
  public let rawValue: Int32

  @inlinable
  public init(_ rawValue: Int32) { self.rawValue = rawValue }

  @inlinable
  public func _rawHashValue(seed: Int) -> Int { multiplicativeHash(UInt64(UInt32(bitPattern: rawValue)), seed) }

  @inlinable
  public static func < (a: TaskID, b: TaskID) -> Bool { a.rawValue < b.rawValue }
}

/// A logical CPU number.
public struct CPU: Hashable, Sendable, Comparable, BitwiseCopyable {
  public let rawValue: UInt16

  @inlinable
  public init(_ rawValue: UInt16) { self.rawValue = rawValue }

  @inlinable
  public static func < (a: CPU, b: CPU) -> Bool { a.rawValue < b.rawValue }
}

/// Nanoseconds of the capture's trace clock.
public struct Timestamp: Hashable, Sendable, Comparable, BitwiseCopyable {
  public let nanoseconds: UInt64

  @inlinable
  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  @inlinable
  public static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }

  @inlinable
  public func earlier(by nanoseconds: UInt32) -> Timestamp {
    Timestamp(nanoseconds: self.nanoseconds - min(self.nanoseconds, UInt64(nanoseconds)))
  }
}

/// The position of a raw record in the merged stream of a capture, counted from 1.
///
/// It is the name by which reports, `--until` and histories speak of an event: the same capture always gives the
/// same numbers.
public struct Sequence: Hashable, Sendable, Comparable, BitwiseCopyable {
  public let rawValue: UInt64

  @inlinable
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }

  @inlinable
  public static func < (a: Sequence, b: Sequence) -> Bool { a.rawValue < b.rawValue }
}

/// The order of a folio: it has `1 << rawValue` pages.
public struct FolioOrder: Hashable, Sendable, Comparable, BitwiseCopyable {
  public let rawValue: UInt8

  @inlinable
  public init(_ rawValue: UInt8) {
    precondition(rawValue < 32, "folio order \(rawValue)")
    self.rawValue = rawValue
  }

  @inlinable
  public static var base: FolioOrder { FolioOrder(0) }

  @inlinable
  public static func < (a: FolioOrder, b: FolioOrder) -> Bool { a.rawValue < b.rawValue }

  @inlinable
  public var pageCount: Int { 1 &<< Int(rawValue) }
}
