// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

/// A range goes when its entries go: before its frames are freed, not when the call returns.
@Suite("Ranges that calls take away")
struct RemovalTests {
  private static let mm = "ffff8884c2861900"

  /// What a call does to pages from 0x7f0000000 on, as words in the order of the events.
  private func story(_ lines: [String]) throws -> [String] {
    let head = [
      "page_fault_user: address=0x7f0000000000 ip=0x1000 error_code=0x6",
      "mmap_lock_acquire_returned: mm=0x\(Self.mm) memcg_path= write=false success=true",
      "rss_stat: mm_id=77 curr=1 type=MM_ANONPAGES size=40960B",
    ]
    let lock = "mmap_lock_acquire_returned: mm=0x\(Self.mm) memcg_path= write=true success=true"
    let all = head + ["sys_brk(brk: 0)", lock, "sys_brk -> 0x1000"] + [lines[0], lock] + lines.dropFirst()
    return try normalized(all.map { (100, $0) }).compactMap { record in
      switch record.event {
      case .unmapped(let range): "unmapped \(words(range))"
      case .freed(let pfn, _): "freed \(pfn.rawValue)"
      case .moved(let source, let destination, _): "moved \(words(source)) to \(page(destination))"
      default: nil
      }
    }
  }

  private func page(_ page: VirtualPage) -> UInt64 { page.rawValue - 0x7_f000_0000 }
  private func words(_ range: PageRange) -> String { "\(page(range.start))..<\(page(range.end))" }

  private static func write(_ first: UInt64, _ last: UInt64, _ value: String) -> String {
    "ma_write: fn=0x1 min=0x0 max=0xffffffffffffffff index=0x7f00000\(hex(first)) last=0x7f00000\(hex(last + 1, -1)) "
      + "piv=0x0 val=\(value) node=0x0"
  }
  private static func hex(_ page: UInt64, _ byte: Int64 = 0) -> String {
    let text = String(UInt64(Int64(page) * 4096 + byte), radix: 16)
    return String(repeating: "0", count: 5 - text.count) + text
  }
  private static let gone = "0x0"
  private static let vma = "0xffff88811498c000"
  private static let fewer = "rss_stat: mm_id=77 curr=1 type=MM_ANONPAGES size=32768B"
  private static let free = "mm_page_free: page=0000000000000000 pfn=0x20 order=0"

  @Test("munmap of the front of a VMA, which the tree tells as a shorter VMA only")
  func shorter() throws {
    let told = try story([
      "sys_munmap(addr: 0x7f0000000000, len: 0x2000)", Self.write(2, 7, Self.vma), Self.fewer, Self.free,
      "sys_munmap -> 0x0",
    ])
    #expect(told == ["unmapped 0..<2", "freed 32"])
  }

  @Test("munmap of nothing is told at its return")
  func nothing() throws {
    let told = try story(["sys_munmap(addr: 0x7f0000000000, len: 0x2000)", "sys_munmap -> 0x0"])
    #expect(told == ["unmapped 0..<2"])
  }

  @Test("mremap that shrinks")
  func shrinks() throws {
    let told = try story([
      "sys_mremap(addr: 0x7f0000000000, old_len: 0x4000, new_len: 0x2000, flags: 0, new_addr: 0)",
      Self.write(2, 3, Self.gone), Self.fewer, Self.free, "sys_mremap -> 0x7f0000000000",
    ])
    #expect(told == ["unmapped 2..<4", "freed 32"])
  }

  @Test("mremap to a fixed place: what was there and what is cut off goes, the rest moves, then the source's VMA goes")
  func fixed() throws {
    let told = try story([
      "sys_mremap(addr: 0x7f0000000000, old_len: 0x4000, new_len: 0x2000, flags: 3, new_addr: 0x7f0000010000)",
      Self.write(16, 17, Self.gone), Self.free, Self.write(2, 3, Self.gone), Self.write(16, 17, Self.vma),
      Self.write(0, 7, Self.gone), "sys_mremap -> 0x7f0000010000",
    ])
    #expect(told == ["unmapped 16..<18", "freed 32", "unmapped 2..<4", "moved 0..<2 to 16", "unmapped 0..<8"])
  }

  @Test("mremap that shrinks a VMA, which the tree tells as a shorter one only")
  func shrinksVMA() throws {
    let told = try story([
      "sys_mremap(addr: 0x7f0000000000, old_len: 0x4000, new_len: 0x2000, flags: 3, new_addr: 0x7f0000010000)",
      Self.write(16, 17, Self.gone), Self.write(0, 1, Self.vma), Self.fewer, Self.free,
      Self.write(16, 17, Self.vma), Self.write(0, 3, Self.gone), "sys_mremap -> 0x7f0000010000",
    ])
    #expect(told == ["unmapped 16..<18", "unmapped 2..<4", "freed 32", "moved 0..<2 to 16", "unmapped 0..<4"])
  }
}
