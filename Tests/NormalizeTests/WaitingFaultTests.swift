// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

/// A fault tries mmap_lock, and waits for it when somebody has it for writing: it happens when it has got it.
@Suite("A fault that waits for mmap_lock")
struct WaitingFaultTests {
  private static let own = "ffff888100000000"
  private static func lock(_ success: Bool, of mm: String = own) -> String {
    "mmap_lock_acquire_returned: mm=0x\(mm) memcg_path= write=false success=\(success)"
  }
  private static let head = [
    "page_fault_user: address=0x7f0000800000 ip=0x1000 error_code=0x6",
    "rss_stat: mm_id=77 curr=1 type=MM_ANONPAGES size=40960B", lock(true),
    "page_fault_user: address=0x7f0000000000 ip=0x1000 error_code=0x7",
  ]
  /// What somebody else does, in this order.
  private static func free(_ pfn: Int) -> TracedLine {
    (300, "mm_page_free: page=0000000000000000 pfn=0x\(pfn) order=0")
  }

  /// What is told from the second fault on, each with the number of the line that settled it.
  private func told(_ lines: [TracedLine]) throws -> [String] {
    try normalized(Self.head.map { (100, $0) } + lines).compactMap { record in
      switch record.event {
      case .fault(VirtualPage(0x7_f000_0000), let access, let outcome):
        "\(record.sequence.rawValue) \("\(outcome)".prefix { $0 != "(" })\(access.contains(.retried) ? " retried" : "")"
      case .freed(let pfn, _): "freed \(pfn.rawValue)"
      default: nil
      }
    }
  }

  @Test("It stands where it got the lock, not where it began")
  func waits() throws {
    let told = try told([
      (100, Self.lock(false)), Self.free(1), (100, Self.lock(true)), Self.free(2), (100, "sys_brk(brk: 0)"),
    ])
    // Under the lock of its VMA it would have come through at once.
    #expect(told == ["freed 1", "7 quiet retried", "freed 2"])
  }

  @Test("It stands where its task went on, when it never got the lock")
  func killed() throws {
    let told = try told([(100, Self.lock(false)), Self.free(1), (100, "sys_brk(brk: 0)"), Self.free(2)])
    #expect(told == ["freed 1", "4 quiet", "freed 2"])
  }

  @Test("A lock that it got at once, or another mm's, moves it nowhere")
  func others() throws {
    for line in [Self.lock(true), Self.lock(false, of: "ffff888200000000")] {
      #expect(try told([Self.free(1), (100, line), Self.free(2)]).first?.hasPrefix("4 quiet") == true)
    }
  }

  @Test("What it allocates under the lock, and its commit, are told as of any other")
  func commits() throws {
    let told = try told([
      (100, Self.lock(false)), Self.free(1), (100, Self.lock(true)), Self.free(2),
      (
        100,
        "mm_page_alloc: page=0000000000000000 pfn=0x20 order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_COMP"
      ),
      Self.free(3), (100, "tlb_flush: pages:1 reason:local MM shootdown (3)"), Self.free(4),
    ])
    #expect(told == ["freed 1", "freed 2", "freed 3", "11 copied retried", "freed 4"])
  }

  @Test("Longer than the others wait for it, it is told once")
  func long() throws {
    func line(_ time: Int, _ entry: TracedLine) -> String {
      "  sh-\(entry.task)   [000] .....  1.\(String(time)): \(entry.line)\n"
    }
    let text =
      Self.head.enumerated().map { line(100_000 + $0.offset, (100, $0.element)) }.joined()
      + line(100_010, (100, Self.lock(false))) + line(300_000, Self.free(1)) + line(400_000, (100, Self.lock(true)))
      + line(400_001, (100, "sys_brk(brk: 0)"))
    let faults = try normalized(text: text).filter { $0.event.access(at: VirtualPage(0x7_f000_0000)) != nil }
    #expect(faults.map(\.sequence) == [Sequence(7)])
    #expect(faults.first.map { $0.event.access(at: VirtualPage(0x7_f000_0000))?.contains(.late) } == false)
  }
}
