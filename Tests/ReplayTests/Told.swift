// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

@testable import Replay

/// A driver and what it is told, on whichever CPU: a process 0 with eight pages of its own, and its child 1.
struct Told {
  static let (p, q) = (MMID(0), MMID(1))
  static let first = VirtualPage(512 * 16)
  static var pages: PageRange { PageRange(start: first, count: 8) }

  var driver: ReplayDriver
  private var records: UInt64 = 0

  init(_ driver: ReplayDriver) {
    self.driver = driver
    at(Self.p, 100, .mmCreated(.exec))
    at(Self.p, 100, .vmaMapped(Self.pages, .anonymous, [.read, .write]))
  }

  /// A microsecond after the last.
  mutating func at(_ mm: MMID, _ task: Int32, on cpu: UInt16 = 0, _ event: MMEvent) {
    records += 1
    driver.apply([
      MMEventRecord(
        sequence: Sequence(records), time: Timestamp(nanoseconds: 1_000_000 + 1000 * records), cpu: CPU(cpu),
        task: TaskID(task), mm: mm, event: event)
    ])
  }

  mutating func fork() {
    at(Self.q, 100, .mmCreated(.fork))
    at(Self.p, 100, .forkBegan(child: Self.q))
    at(Self.p, 100, .forkCopied(child: Self.q, Self.pages))
    at(Self.p, 100, .forkEnded(child: Self.q))
  }

  mutating func childExits() {
    at(Self.q, 200, .mmTeardownBegan)
    at(Self.q, 200, .mmExited)
  }

  mutating func decisions() -> Tally {
    let capture = CaptureSummary(
      name: "told", kernel: "6.18", command: [], records: records, spanNanoseconds: 1000 * records, addressSpaces: 2)
    return driver.finish(capture: capture).verification.decisions
  }
}
