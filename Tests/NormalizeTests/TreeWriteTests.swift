// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

/// `ma_write` is of every maple tree: which writes are of the task's VMAs. A directory of tmpfs keeps the offsets of its
/// entries in one (`simple_offset_remove`): taking the newest away writes from there to the end.
@Suite("Writes to maple trees")
struct TreeWriteTests {
  private static let lock = "mmap_lock_acquire_returned: mm=0xffff888100000000 memcg_path= write=true success=true"

  private static func write(_ first: String, _ last: String, _ value: String) -> String {
    "ma_write: fn=0x1 min=0x0 max=0xffffffffffffffff index=\(first) last=\(last) piv=0x0 val=\(value) node=0x0"
  }

  private func unmapped(_ lines: [String]) throws -> [PageRange] {
    let head = ["page_fault_user: address=0x7f0000000000 ip=0x1000 error_code=0x6", Self.lock]
    return try normalized((head + lines).map { (100, $0) }).compactMap {
      if case .unmapped(let range) = $0.event { range } else { nil }
    }
  }

  @Test("A write after the call that took the lock is of another tree, even where it looks like a VMA's")
  func afterTheCall() throws {
    let call = [
      "sys_munmap(addr: 0x7f0000400000, len: 0x1000)", Self.lock,
      Self.write("0x7f0000400000", "0x7f0000400fff", "0x0"), "sys_munmap -> 0x0",
    ]
    let whole = PageRange(start: VirtualPage(0x7f0000400), count: 1)
    #expect(try unmapped(call) == [whole])
    #expect(try unmapped(call + [Self.write("0x13", "0xffffffffffffffff", "0x0")]) == [whole])
    #expect(try unmapped(call + [Self.write("0x1000", "0xffffffffffffffff", "0x0")]) == [whole])
  }

  @Test("Within the call, a range that is not one of whole pages below the kernel's is no VMA's")
  func withinTheCall() throws {
    let call = ["sys_brk(brk: 0x2000)", Self.lock]
    for foreign in [
      Self.write("0x13", "0xffffffffffffffff", "0x0"), Self.write("0x1000", "0x1000", "0xffff888100001000"),
      Self.write("0x1000", "0xffffffffffffffff", "0xffff888100001000"),
    ] {
      #expect(try unmapped(call + [foreign, "sys_brk -> 0x2000"]).isEmpty)
    }
    // Above the last VMA nothing is to the end: both become one (`mas_wr_extend_null`).
    let end = PageRange(start: VirtualPage(0x7f0000400), end: VirtualPage(1 << 52))
    #expect(try unmapped(call + [Self.write("0x7f0000400000", "0xffffffffffffffff", "0x0")]) == [end])
  }
}
