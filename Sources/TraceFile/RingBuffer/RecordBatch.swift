// SPDX-License-Identifier: GPL-2.0-only

/// A piece of the merged stream: records in order of (timestamp, buffer, CPU), ties in file order.
///
/// Several may be filled before the first is used, as long as they are used in the order in which they were filled:
/// what a record points into is kept by its own batch or a later one.
@safe
public struct RecordBatch: ~Copyable {
  @usableFromInline let storage: UnsafeMutablePointer<RawRecord>
  public let capacity: Int
  public private(set) var count = 0
  /// Position of the batch's first record in the merged stream, counted from 1.
  public private(set) var firstSequence: UInt64 = 1
  /// In order of position.
  public private(set) var lossMarks: [LossMark] = []
  /// Memory that the records of this batch, or of those before it, point into and that the reader is done with.
  var retired: [AnyObject] = []

  public init(capacity: Int = 1024) {
    precondition(capacity > 0, "a batch holds at least one record")
    self.capacity = capacity
    unsafe storage = UnsafeMutablePointer<RawRecord>.allocate(capacity: capacity)
  }

  deinit { unsafe storage.deallocate() }

  @inlinable
  public var isEmpty: Bool { count == 0 }

  @inlinable
  public subscript(index: Int) -> RawRecord {
    precondition(index >= 0 && index < count, "record out of the batch")
    return unsafe storage[index]
  }

  /// The records, until the batch is filled again or goes away.
  public var records: UnsafeBufferPointer<RawRecord> { unsafe UnsafeBufferPointer(start: storage, count: count) }

  mutating func reset(firstSequence: UInt64) {
    count = 0
    lossMarks.removeAll(keepingCapacity: true)
    retired.removeAll(keepingCapacity: true)
    self.firstSequence = firstSequence
  }

  var room: Int { capacity - count }

  /// Records of this CPU are missing behind the last record taken.
  mutating func markLoss(on cpu: UInt16, of buffer: UInt8) {
    lossMarks.append(LossMark(position: count, cpu: cpu, buffer: buffer))
  }

  /// Takes records from the front of `records` while their time is not after `bound` and room is left; the number
  /// taken.
  mutating func append(_ records: UnsafeBufferPointer<RawRecord>, upTo bound: UInt64) -> Int {
    let limit = min(records.count, room)
    guard limit > 0, let source = records.baseAddress else { return 0 }
    let target = unsafe storage + count
    var taken = 0
    while taken < limit, unsafe source[taken].timestamp <= bound {
      unsafe target[taken] = source[taken]
      taken &+= 1
    }
    count &+= taken
    return taken
  }

  /// Takes records from the fronts of `a` and `b`, the earlier one first and `a`'s at equal times, while they are
  /// before `end`, both have one left and there is room; the numbers taken.
  mutating func append(
    merging a: UnsafeBufferPointer<RawRecord>, _ b: UnsafeBufferPointer<RawRecord>, before end: UInt64
  ) -> (a: Int, b: Int) {
    guard let startOfA = a.baseAddress, let startOfB = b.baseAddress else { return (0, 0) }
    var (nextOfA, nextOfB) = unsafe (startOfA, startOfB)
    var target = unsafe storage + count
    while true {
      let (leftOfA, leftOfB) = unsafe (a.count - (nextOfA - startOfA), b.count - (nextOfB - startOfB))
      // So many steps reach the end of neither.
      var steps = unsafe min(leftOfA, leftOfB, storage + capacity - target)
      if steps == 0 { break }
      while steps > 0 {
        let (timeOfA, timeOfB) = unsafe (nextOfA.pointee.timestamp, nextOfB.pointee.timestamp)
        if timeOfB < timeOfA {
          guard timeOfB < end else { break }
          unsafe target.pointee = nextOfB.pointee
          unsafe nextOfB += 1
        } else {
          guard timeOfA < end else { break }
          unsafe target.pointee = nextOfA.pointee
          unsafe nextOfA += 1
        }
        unsafe target += 1
        steps &-= 1
      }
      if steps > 0 { break }
    }
    count = unsafe target - storage
    return unsafe (nextOfA - startOfA, nextOfB - startOfB)
  }
}
