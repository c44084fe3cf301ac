// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@Suite("Between the rows of KernelFacts")
struct BetweenKernelsTests {
  @Test(
    "A release has its row's facts, and what changed between two rows",
    arguments: [
      // SPLIT_RSS_COUNTING went with 6.2, per-VMA locks came with 6.4, the head's flags with 6.10, mm ids with 6.15.
      ("5.19.0", true, false, false, false), ("6.1.0-56-amd64", true, false, false, false),
      ("6.2.16", false, false, false, false),
      ("6.6.30-rc1", false, true, false, false), ("6.10.1", false, true, true, false),
      ("6.12.117+deb12-amd64", false, true, true, false), ("6.15-generic", false, true, true, true),
      ("6.18.44", false, true, true, true), ("7.3.4", false, true, true, true),
    ])
  func release(_ name: String, batches: Bool, locksVMAs: Bool, headOnly: Bool, singleMM: Bool) throws {
    let facts = try #require(KernelFacts.forRelease(name))
    #expect(facts.batchesCounters == batches)
    #expect(facts.locksVMAs == locksVMAs)
    #expect(facts.pageFlagsShowHeadOnly == headOnly)
    #expect((facts.largeFolioReuse == .singleMM) == singleMM)
  }

  @Test(
    "Runs of lazyfree entries: none before 6.15, any until the fix, alike since",
    arguments: [
      ("6.12.117", .single), ("6.14.11", .single), ("6.15.0", .mixed), ("6.17.9", .mixed), ("6.18.19", .mixed),
      ("6.18.20", .alike), ("6.18.44-fc-v782", .alike), ("6.18", .alike), ("6.19.9", .mixed), ("6.19.10", .alike),
      ("7.2.13+deb14-amd64", .alike),
    ] as [(String, KernelFacts.LazyfreeRuns)])
  func lazyfreeRuns(release: String, expected: KernelFacts.LazyfreeRuns) throws {
    #expect(try #require(KernelFacts.forRelease(release)).lazyfreeRuns == expected)
  }

  @Test("Older than every row, or no release: no facts")
  func unknown() {
    #expect(KernelFacts.forRelease("5.10.0-30-amd64") == nil)
    #expect(KernelFacts.forRelease("next-20260101") == nil)
    #expect(KernelFacts.release("5.10.117") == .withoutAnonExclusive)
    #expect(KernelFacts.release("5.18.19-custom") == .withoutAnonExclusive)
    #expect(KernelFacts.release("next-20260101") == .notUnderstood)
    #expect(KernelFacts.release("6.0.7") == KernelFacts.forRelease("6.1").map { .known($0) })
  }

  @Test(
    "Swap types are given out from the top: markers, device memory, then migration",
    arguments: [
      ("6.1.0-56-amd64", "n", UInt64(27)), ("6.12.117", "n", 28), ("6.12.117", "y", 24), ("6.18.44", "y", 25),
      ("6.18.44", "n", 28),
    ])
  func swapTypes(_ release: String, devicePrivate: String, first: UInt64) throws {
    let facts = try #require(KernelFacts.forRelease(release))
    let machine = Machine("x86_64", kernel: facts, configuration: ["CONFIG_DEVICE_PRIVATE": devicePrivate])
    #expect(machine.readMigrationType == first)
    #expect(machine.architecture == .x86)
  }

  @Test("Entries of other machines, and of arm64 before 6.10, are not understood")
  func otherMachines() throws {
    let new = KernelFacts.v6_12
    let old = KernelFacts.v6_1
    #expect(Machine("aarch64", kernel: new, configuration: [:]).architecture == .arm64)
    #expect(Machine("aarch64", kernel: old, configuration: [:]).architecture == .other)
    #expect(Machine("riscv64", kernel: new, configuration: [:]).architecture == .other)
  }
}
