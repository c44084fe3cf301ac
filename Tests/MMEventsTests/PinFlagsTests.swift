// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@Suite("Flags of GUP")
struct PinFlagsTests {
  @Test(
    "By the numbers of the kernel: include/linux/mm.h of 6.1, mm_types.h and mm/internal.h since 6.3",
    arguments: [
      ("6.1.0", 0x10001, 0x10, 0x40000), ("6.2.16", 0x10001, 0x10, 0x40000), ("6.3.0", 0x101, 0x8, 0x80000),
      ("6.12.117", 0x101, 0x8, 0x80000), ("7.2.13", 0x101, 0x8, 0x80000),
    ] as [(String, UInt64, UInt64, UInt64)])
  func numbers(_ release: String, _ registered: UInt64, _ force: UInt64, _ pin: UInt64) throws {
    let numbers = try #require(KernelFacts.forRelease(release)).gupFlags
    // What io_uring asks for a buffer: FOLL_WRITE | FOLL_LONGTERM.
    #expect(numbers.pinFlags(registered) == [.write, .longTerm])
    #expect(numbers.pinFlags(force) == .force)
    #expect(numbers.pinFlags(0) == [])
    #expect(numbers.pin == pin)
  }
}
