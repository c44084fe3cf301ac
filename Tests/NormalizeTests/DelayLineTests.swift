// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Normalize

@Suite("Events held back for a fault")
struct DelayLineTests {
  private func record(_ number: UInt64, at time: UInt64) -> MMEventRecord {
    MMEventRecord(
      sequence: Sequence(number), time: Timestamp(nanoseconds: time), cpu: CPU(0), task: TaskID(1), mm: nil,
      event: .removalEnded)
  }

  private func released(_ line: inout DelayLine) -> [UInt64] {
    var events: [MMEventRecord] = []
    line.release(into: &events)
    return events.map(\.sequence.rawValue)
  }

  @Test("A kept place holds everything behind it until it is filled, and the event stands there")
  func filled() {
    var line = DelayLine()
    line.append(record(1, at: 0))
    let slot = line.keepPlace(at: Timestamp(nanoseconds: 10))
    line.append(record(3, at: 20))
    let before = released(&line)
    let isFilled = line.fill(slot, with: record(2, at: 10))
    let after = released(&line)
    let isFilledAgain = line.fill(slot, with: record(9, at: 10))
    #expect(before == [1] && after == [2, 3])
    #expect(isFilled && !isFilledAgain)
  }

  @Test("After 100 milliseconds a place is given up: the proposal goes out, or nothing")
  func expired() {
    var line = DelayLine()
    let silent = line.keepPlace(at: Timestamp(nanoseconds: 0))
    let proposed = line.keepPlace(at: Timestamp(nanoseconds: 1))
    line.propose(proposed, record(1, at: 1))
    line.append(record(2, at: 5))
    line.now = 99_999_999
    let inTime = released(&line)
    line.now = 100_000_001
    let isFilled = [line.fill(silent, with: record(7, at: 0)), line.fill(proposed, with: record(8, at: 1))]
    let tooLate = released(&line)
    #expect(inTime == [] && tooLate == [1, 2])
    #expect(isFilled == [false, false])
  }

  @Test("With 32,768 records behind it a place is given up, whenever the line is emptied")
  func full() {
    for releasesOften in [false, true] {
      var line = DelayLine()
      var events: [MMEventRecord] = []
      let slot = line.keepPlace(at: Timestamp(nanoseconds: 0))
      for number in 1..<32_768 as Range<UInt64> {
        line.append(record(number, at: 1))
        if releasesOften, number % 1000 == 0 { line.release(into: &events) }
      }
      #expect(events.isEmpty)
      line.append(record(32_768, at: 1))
      let isFilled = line.fill(slot, with: record(0, at: 0))
      line.release(into: &events)
      #expect(!isFilled && events.count == 32_768)
    }
  }

  @Test("A dropped place leaves nothing; when events are released does not change what they are")
  func dropped() {
    let often = sequences(releasesOften: true)
    #expect(often == sequences(releasesOften: false))
    #expect(often.filter { $0 < 100_000 } == (0..<20_000).filter { $0 % 3 != 0 })
    #expect(often.contains { $0 >= 100_000 })
  }

  /// Every third of 20,000 numbers keeps a place; every fifth fills or drops the youngest place there is.
  private func sequences(releasesOften: Bool) -> [UInt64] {
    var line = DelayLine()
    var events: [MMEventRecord] = []
    var slots: [DelayLine.Slot] = []
    for number in 0..<20_000 as Range<UInt64> {
      line.now = number * 1000
      if number % 3 == 0 {
        slots.append(line.keepPlace(at: Timestamp(nanoseconds: line.now)))
      } else {
        line.append(record(number, at: line.now))
      }
      if number % 5 == 0, let slot = slots.popLast() {
        if number % 2 == 0 {
          line.drop(slot)
        } else {
          _ = line.fill(slot, with: record(100_000 + number, at: line.now))
        }
      }
      if releasesOften { line.release(into: &events) }
    }
    line.releaseAll(into: &events)
    return events.map(\.sequence.rawValue)
  }
}
