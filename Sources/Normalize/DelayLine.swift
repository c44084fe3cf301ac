// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Events on their way out, held back a little so that a fault can stand where it took effect.
///
/// A write fault that reuses its page shows nothing after the fault itself; that nothing came of it is known only
/// when its task does something else. Until then its place is kept here. A place is kept for `window` of trace time at
/// most, and while no more than `capacity` records wait behind it: a task may sleep after its fault, and memory must
/// stay bounded.
struct DelayLine: ~Copyable {
  /// A kept place. Valid until it is filled or dropped.
  struct Slot: Equatable {
    /// How many places had been kept before.
    fileprivate var number: Int

    /// No place.
    static let none = Slot(number: -1)
  }

  /// A place that was kept, and what became of it.
  struct KeptPlace {
    enum State {
      case empty
      /// Holds what is known so far; that goes out when the place is not filled in time.
      case proposed
      case filled
      case dropped
    }

    let position: Int
    let since: UInt64
    var state = State.empty
  }

  /// 100 ms: longer than a fault that was not blocked takes where its CPU is wanted by others too.
  private static let window: UInt64 = 100_000_000
  /// Records on the line, at most: two megabytes, which a second-level cache holds.
  private static let capacity = 1 << 15

  /// Trace time; places older than the window are given up from here on, released or not.
  var now: UInt64 = 0
  /// Everything on the line in order; at a kept place without a proposal, a record that never goes out.
  private var records = FlatArray<MMEventRecord>()
  private var head = 0
  /// Position of `records[0]` in the whole stream.
  private var base = 0
  /// In order of position, from the first one not released on.
  private var kept = FlatArray<KeptPlace>()
  private var firstKept = 0
  /// Number of the slot of `kept[0]`.
  private var keptBase = 0

  @inline(__always)
  mutating func append(_ record: MMEventRecord) { records.append(record) }

  mutating func keepPlace(at time: Timestamp) -> Slot {
    let nothing = MMEventRecord(
      sequence: Sequence(0), time: time, cpu: CPU(0), task: TaskID(0), mm: nil, event: .removalEnded)
    return keepPlace(at: time, nothing, .empty)
  }

  /// With what will stand there unless more becomes known in time.
  @inline(__always)
  mutating func keepPlace(at time: Timestamp, proposing record: MMEventRecord) -> Slot {
    keepPlace(at: time, record, .proposed)
  }

  @inline(__always)
  private mutating func keepPlace(at time: Timestamp, _ record: MMEventRecord, _ state: KeptPlace.State) -> Slot {
    let slot = Slot(number: keptBase &+ kept.count)
    kept.append(KeptPlace(position: base &+ records.count, since: time.nanoseconds, state: state))
    records.append(record)
    return slot
  }

  /// Puts the event into its place; `false` when the place was given up in the meantime.
  @inline(__always)
  mutating func fill(_ slot: Slot, with record: MMEventRecord) -> Bool {
    guard let index = waiting(slot) else { return false }
    records[kept[index].position - base] = record
    kept[index].state = .filled
    return true
  }

  /// What will stand at the place unless still more becomes known in time.
  @inline(__always)
  mutating func propose(_ slot: Slot, _ record: MMEventRecord) {
    guard let index = waiting(slot) else { return }
    records[kept[index].position - base] = record
    kept[index].state = .proposed
  }

  /// Gives the place up; `false` when it was given up in the meantime.
  @discardableResult
  mutating func drop(_ slot: Slot) -> Bool {
    guard let index = waiting(slot) else { return false }
    kept[index].state = .dropped
    return true
  }

  /// Moves everything that is settled, or too old to wait for, to `events`.
  mutating func release(into events: inout [MMEventRecord]) {
    var end = records.count
    // Where the next settled record belongs, and the first one not there yet: records move up over dropped places.
    var (settled, next) = (head, head)
    while firstKept < kept.count {
      let index = kept[firstKept].position - base
      if isWaiting(kept[firstKept]) {
        end = index
        break
      }
      switch kept[firstKept].state {
      // It goes out with its neighbours.
      case .filled, .proposed: break
      case .empty, .dropped:
        settled = records.move(next..<index, to: settled)
        next = index + 1
      }
      firstKept += 1
    }
    settled = records.move(next..<end, to: settled)
    records.copy(head..<settled, to: &events)
    head = end
    compact()
  }

  mutating func releaseAll(into events: inout [MMEventRecord]) {
    now = .max
    release(into: &events)
  }

  @inline(__always)
  private func isWaiting(_ place: KeptPlace) -> Bool {
    switch place.state {
    case .empty, .proposed:
      now < place.since &+ Self.window && base + records.count - place.position < Self.capacity
    case .filled, .dropped: false
    }
  }

  /// Index in `kept` of a place that can still be filled.
  @inline(__always)
  private func waiting(_ slot: Slot) -> Int? {
    let index = slot.number - keptBase
    guard index >= firstKept, index < kept.count, isWaiting(kept[index]) else { return nil }
    return index
  }

  private mutating func compact() {
    // What is moved to the front is never more than what went out since the last time.
    if head > records.count / 2 {
      records.removeFirst(head)
      base += head
      head = 0
    }
    if firstKept > kept.count / 2 {
      kept.removeFirst(firstKept)
      keptBase += firstKept
      firstKept = 0
    }
  }
}
