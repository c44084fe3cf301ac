// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

/// A memory cgroup's limit: charging the page that a fault allocated sets off reclaim in the same task, before the
/// fault commits (`charge_memcg` in `wp_page_copy`). What it unmaps is flushed as the fault's page will be.
@Suite("Reclaim inside a fault")
struct ReclaimInFaultTests {
  private static let alloc =
    "mm_page_alloc: page=0000000000000000 pfn=0xa order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_COMP"
  private static let flush = "tlb_flush: pages:1 reason:local MM shootdown (3)"
  private static let free = "mm_page_free: page=0000000000000000 pfn=0xa order=0"
  private static func anonymous(_ pages: Int) -> String {
    "rss_stat: mm_id=77 curr=1 type=MM_ANONPAGES size=\(pages * 4096)B"
  }
  private static func swapped(_ pages: Int) -> String {
    "rss_stat: mm_id=77 curr=1 type=MM_SWAPENTS size=\(pages * 4096)B"
  }
  /// A large folio of two mapped pages is split: `try_to_migrate_one` flushes each, then tells it.
  private static let split = [0x7f00_0010_0000, 0x7f00_0010_1000].flatMap { address in
    [flush, "set_migration_pte: addr=\(String(address, radix: 16)) pte=e7ffefff70d0fe00 order=3"]
  }

  private func outcome(_ error: String, _ lines: [String]) throws -> FaultOutcome? {
    let head = [
      "page_fault_user: address=0x7f0000800000 ip=0x1000 error_code=0x6", Self.anonymous(10), Self.swapped(5),
      "page_fault_user: address=0x7f0000000000 ip=0x1000 error_code=\(error)",
    ]
    let page = VirtualPage(0x7f0000000)
    return try normalized((head + lines + ["sys_brk(brk: 0)"]).map { (100, $0) }).compactMap {
      if case .fault(page, _, let outcome) = $0.event { outcome } else { nil }
    }.first
  }

  @Test("The flushes of a split are not the fault's, nor is the count of a page that held zeros alone")
  func splits() throws {
    // One page comes back, the other gives way to the zero page; then one is swapped out; then the fault copies.
    let reclaim = [Self.alloc] + Self.split + [Self.anonymous(9), Self.anonymous(8), Self.swapped(6)]
    guard case .copied(PFN(10), _) = try outcome("0x7", reclaim + [Self.flush]) else {
      Issue.record("not a copy")
      return
    }
    // Given back, it was none.
    #expect(try outcome("0x7", [Self.alloc] + Self.split + [Self.free]) == .raced)
  }

  /// An interrupt of another CPU, for an mm that ran here before (`flush_tlb_func`).
  @Test("A flush for an mm that has left this CPU is not the fault's", arguments: ["(5)", "wrong CPU (5)"])
  func flushForAnother(reason: String) throws {
    let flush = "tlb_flush: pages:0 reason:\(reason)"
    #expect(try outcome("0x7", [Self.alloc, flush, Self.free]) == .raced)
    #expect(try outcome("0x7", [flush]) == .quiet)
    guard case .copied(PFN(10), _) = try outcome("0x7", [Self.alloc, flush, Self.flush]) else {
      Issue.record("not a copy")
      return
    }
  }

  @Test("A read that found its page in the swapcache allocates nothing: what follows is for somebody else")
  func swapCache() throws {
    let swapIn = [Self.anonymous(11), Self.swapped(4)]
    #expect(try outcome("0x4", swapIn + [Self.alloc]) == .swappedIn(nil, .none))
    #expect(try outcome("0x4", [Self.alloc] + swapIn) == .swappedIn(PFN(10), .none))
    // `iomap` for a large folio of page cache.
    let pageCache = Self.alloc.replacing("order=0", with: "order=7").replacing(
      "GFP_HIGHUSER_MOVABLE", with: "GFP_NOFS|__GFP_HIGHMEM|__GFP_HARDWALL|__GFP_MOVABLE")
    #expect(try outcome("0x6", swapIn + [pageCache]) == .swappedIn(nil, .none))
  }

  @Test("A write that swaps in and copies stays one when the copy sets off a split")
  func swapInThenSplit() throws {
    let swapIn = [Self.alloc, Self.anonymous(11), Self.swapped(4), Self.alloc.replacing("0xa", with: "0xb")]
    let lines = swapIn + Self.split + [Self.anonymous(10), Self.swapped(5), Self.flush]
    #expect(try outcome("0x6", lines) == .swappedIn(nil, .made))
  }

  @Test("Inside a fork, what is counted for an mm that was there before is not the child's")
  func insideFork() throws {
    func lock(_ mm: String) -> String {
      "mmap_lock_acquire_returned: mm=0x\(mm) memcg_path= write=true success=true"
    }
    let events = try normalized([
      (200, "page_fault_user: address=0x7f0000800000 ip=0x1000 error_code=0x6"),
      (200, "rss_stat: mm_id=88 curr=1 type=MM_ANONPAGES size=40960B"),
      (100, "page_fault_user: address=0x7f0000800000 ip=0x1000 error_code=0x6"), (100, Self.anonymous(10)),
      (100, lock("ffff888100000000")), (100, "sys_fork()"), (100, lock("ffff888100000000")),
      (100, lock("ffff888300000000")), (100, "rss_stat: mm_id=88 curr=0 type=MM_ANONPAGES size=36864B"),
      (100, "rss_stat: mm_id=99 curr=0 type=MM_ANONPAGES size=8192B"),
      (100, "task_newtask: pid=101 comm=sh clone_flags=1200000 oom_score_adj=0"),
    ])
    let counted = events.compactMap { record -> UInt64? in
      if case .forkCounted(_, .anonymous, let pages) = record.event { pages } else { nil }
    }
    #expect(counted == [2])
  }
}
