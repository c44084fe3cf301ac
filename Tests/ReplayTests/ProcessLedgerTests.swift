// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

@Suite("Who copied what")
struct ProcessLedgerTests {
  @Test("A parent and its child: who acts in the child's mm after the fork is the child")
  func sides() throws {
    var tale = Tale()  // records 1 and 2
    for index in 0..<4 { tale.touch(index, UInt64(10 + index)) }  // to 6
    tale.fork(0..<8)  // 7 to 10
    tale.copy(Tale.q, 200, 0, 20, took: 0)  // 11
    tale.copy(Tale.p, 100, 2, 22, took: 0)
    tale.at(Tale.q, 200, .mmTeardownBegan)
    tale.at(Tale.q, 200, .mmExited)  // 14
    tale.at(Tale.p, 100, .fault(tale.page(0), [.write, .present], .quiet))
    var p = ProcessAccount(mm: Tale.p, task: TaskID(100), first: Sequence(1), last: Sequence(.max))
    (p.forks, p.copies, p.reuses) = (1, 1, 1)
    var q = ProcessAccount(mm: Tale.q, task: TaskID(200), parent: Tale.p, first: Sequence(8), last: Sequence(14))
    q.copies = 1
    // As many copies, but P kept a page too.
    #expect(tale.result().processes == [p, q])
  }

  @Test("Of thousands of processes those stay that copied most; a fork that failed made none")
  func many() {
    var ledger = ProcessLedger()
    func record(_ mm: UInt32) -> MMEventRecord {
      MMEventRecord(
        sequence: Sequence(UInt64(mm)), time: Timestamp(nanoseconds: 0), cpu: CPU(0), task: TaskID(Int32(mm)),
        mm: MMID(mm), event: .removalEnded)
    }
    for mm in UInt32(1)...3000 {
      ledger.lived(.createMM(MMID(mm), .exec), record(mm))
      for _ in 0..<mm % 100 { ledger.wrote(MMID(mm), .copied, record(mm)) }
      ledger.lived(.exitEnd(MMID(mm)), record(mm))
    }
    ledger.lived(.forkBegin(parent: MMID(1), child: MMID(4000)), record(1))
    ledger.lived(.forkAbort(parent: MMID(1), child: MMID(4000)), record(1))
    // Thirty copied 99 pages, thirty 98, the first four of those with 97 are told too.
    let told = ledger.told
    #expect(told.map(\.copies) == Array(repeating: 99, count: 30) + Array(repeating: 98, count: 30) + [97, 97, 97, 97])
    #expect(told.first?.mm == MMID(99) && told.last?.mm == MMID(397))
  }
}
