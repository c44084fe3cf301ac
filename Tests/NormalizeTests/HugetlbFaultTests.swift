// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Normalize

/// hugetlb takes its pages from a pool: a fault shows by a flush, or by the surplus page it had to allocate.
@Suite("Faults on hugetlb")
struct HugetlbFaultTests {
  private let page = VirtualPage(0x7000)

  private func fault(_ access: FaultAccess, counters: Bool = true) -> PendingFault {
    var line = DelayLine()
    return PendingFault(
      page: page, access: access, sequence: Sequence(1), time: Timestamp(nanoseconds: 100), cpu: CPU(0),
      task: TaskID(1), slot: line.keepPlace(at: Timestamp(nanoseconds: 100)),
      signs: FaultSigns(locks: .none, counters: counters, flushes: true))
  }

  @Test("A flush and nothing allocated: a page was replaced; by an allocation that follows it was not the fault's own")
  func flushAlone() {
    for access in [[.write, .present], .write] as [FaultAccess] {
      var fault = fault(access)
      #expect(fault.mayReplaceFromPool == true && fault.outcome == .quiet)
      fault.flushAlone()
      #expect(fault.isCommitted == true && fault.mayReplaceFromPool == false)
      #expect(fault.outcome == .pooled(replaced: true, sinceFault: 0))
      fault.allocated(PFN(7), .base, zeroed: false, at: Timestamp(nanoseconds: 200))
      #expect(fault.isCommitted == false)
    }
    let read = fault([])
    #expect(read.mayReplaceFromPool == false)
  }

  @Test("A huge page that no counter counts is a surplus page of the pool", arguments: [true, false])
  func surplus(counters: Bool) {
    var missing = fault(.write, counters: counters)
    missing.allocated(PFN(512), FolioOrder(9), zeroed: false, at: Timestamp(nanoseconds: 200))
    #expect(missing.outcome == .surplus(PFN(512), sinceFault: 0, replaced: false))
    missing.moved(.anonymous, pages: 512)
    #expect(missing.outcome == .anonymous(PFN(512), FolioOrder(9), replaced: false))
    var present = fault([.write, .present], counters: counters)
    present.allocated(PFN(512), FolioOrder(9), zeroed: false, at: Timestamp(nanoseconds: 200))
    present.flush()
    #expect(present.outcome == .surplus(PFN(512), sinceFault: 0, replaced: true))
  }

  @Test("mmap: what is shared is not anonymous, other sizes than a PMD's are told apart, lengths rounded up")
  func mapFlags() {
    let rows: [(flags: UInt64, VMABacking, length: UInt64, fills: Bool)] = [
      (0x22, .anonymous, 4096, false),
      (0x02, .privateFile, 4096, false),
      (0x01, .shared, 4096, false),
      (0x40022, .hugetlb, 2 << 20, false),
      (0x48022, .hugetlb, 2 << 20, true),
      (0x58022, .hugetlb, 2 << 20, false),
      (0x42022, .hugetlb, 2 << 20, true),
      (0x0a022, .anonymous, 4096, false),
      (0x40021, .shared, 2 << 20, false),
      (0x48023, .shared, 2 << 20, false),
      (0x40022 | 21 << 26, .hugetlb, 2 << 20, false),
      (0x40022 | 30 << 26, .gigantic, 1 << 30, false),
    ]
    for row in rows {
      let flags = MapFlags(row.flags)
      #expect(flags.backing(pageShift: 12) == row.1)
      #expect(flags.length(4096, pageShift: 12) == row.length && flags.fillsUnseen == row.fills)
    }
  }
}
