// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Events on their way out, held back a little so that a fault can stand where it took effect.
///
/// A write fault that reuses its page shows nothing after the fault itself; that nothing came of it is known only
/// when its task does something else. Until then its place is kept here as a pending slot. A place is kept for
/// `window` of trace time at most: a task may sleep after its fault, and memory must stay bounded.
struct DelayLine {
  /// A kept place. Valid until it is filled or dropped.
  struct Slot: Equatable {
    fileprivate var position: Int
  }

  private enum Place {
    case event(MMEventRecord)
    /// `provisional` is what is known so far; it goes out when the place is not filled in time.
    case pending(since: UInt64, provisional: MMEventRecord?)
    case dropped
  }

  /// Two milliseconds: longer than any fault that was not blocked; at a million events a second 2,000 places.
  private static let window: UInt64 = 2_000_000

  private var places: [Place] = []
  private var head = 0
  /// Position of `places[0]` in the whole stream.
  private var base = 0

  mutating func append(_ record: MMEventRecord) { places.append(.event(record)) }

  mutating func keepPlace(at time: Timestamp) -> Slot {
    places.append(.pending(since: time.nanoseconds, provisional: nil))
    return Slot(position: base + places.count - 1)
  }

  /// Puts the event into its place; `false` when the place was given up in the meantime.
  mutating func fill(_ slot: Slot, with record: MMEventRecord) -> Bool {
    let index = slot.position - base
    guard index >= head, index < places.count, case .pending = places[index] else { return false }
    places[index] = .event(record)
    return true
  }

  /// What will stand at the place unless more becomes known in time.
  mutating func propose(_ slot: Slot, _ record: MMEventRecord) {
    let index = slot.position - base
    guard index >= head, index < places.count, case .pending(let since, _) = places[index] else { return }
    places[index] = .pending(since: since, provisional: record)
  }

  mutating func drop(_ slot: Slot) {
    let index = slot.position - base
    if index >= head, index < places.count, case .pending = places[index] { places[index] = .dropped }
  }

  /// Moves everything that is settled, or too old to wait for, to `events`.
  mutating func release(now: UInt64, into events: inout [MMEventRecord]) {
    loop: while head < places.count {
      switch places[head] {
      case .event(let record): events.append(record)
      case .dropped: break
      case .pending(let since, let provisional):
        if now < since &+ Self.window { break loop }
        if let provisional { events.append(provisional) }
      }
      head += 1
    }
    if head > 4096 || head == places.count {
      places.removeFirst(head)
      base += head
      head = 0
    }
  }

  mutating func releaseAll(into events: inout [MMEventRecord]) { release(now: .max, into: &events) }
}
