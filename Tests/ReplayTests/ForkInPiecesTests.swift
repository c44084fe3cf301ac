// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

@Suite("A VMA that the trace tells in pieces")
struct ForkInPiecesTests {
  private let parent = MMID(1)
  private let child = MMID(2)
  private let start = VirtualPage(0x7f000)

  /// `mmap` gave the two halves of an aligned 2 MiB, and a huge page was put across.
  private func replayed(secondHalf: VMABacking) -> ReplayDriver {
    let half = PageRange(start: start, count: 256)
    let rest = PageRange(start: start.advanced(by: 256), count: 256)
    let whole = PageRange(start: start, count: 512)
    let events: [MMEvent] = [
      .mmCreated(.exec), .vmaMapped(half, .anonymous, [.read, .write]), .vmaMapped(rest, secondHalf, [.read, .write]),
      .fault(start, .write, .anonymous(PFN(512), FolioOrder(9), replaced: false)), .forkBegan(child: child),
      .forkCopied(child: child, whole), .forkEnded(child: child),
    ]
    var driver = ReplayDriver(encodings: EncodingID.allCases, facts: .v6_12, seesLRUInsertion: true)
    driver.apply(
      events.enumerated().map { index, event in
        MMEventRecord(
          sequence: Sequence(UInt64(index + 1)), time: Timestamp(nanoseconds: UInt64(index)), cpu: CPU(0),
          task: TaskID(10), mm: parent, event: event)
      })
    return driver
  }

  @Test(
    "fork copies its huge page once, whether or not the pieces are alike", arguments: [VMABacking.anonymous, .loader])
  func fork(_ secondHalf: VMABacking) {
    let driver = replayed(secondHalf: secondHalf)
    for page in [start, start.advanced(by: 300)] {
      #expect(driver.describeEntry(parent, page) == "r D PAE-")
      #expect(driver.describeEntry(child, page) == "r D PAE-")
    }
    #expect(driver.lockstep.baseline.memory.countAnonymous(child, in: .everything).present == 512)
  }

  @Test("Pieces with the same facts are one")
  func pieces() {
    var map = VMAMap()
    map.set(PageRange(start: start, count: 8), .anonymous)
    map.set(PageRange(start: start.advanced(by: 8), count: 8), .anonymous)
    map.set(PageRange(start: start.advanced(by: 16), count: 8), .readOnly)
    let pieces = map.pieces(of: PageRange(start: start.advanced(by: 4), count: 20))
    #expect(
      pieces.map(\.range) == [
        PageRange(start: start.advanced(by: 4), count: 12), PageRange(start: start.advanced(by: 16), count: 8),
      ])
  }
}
