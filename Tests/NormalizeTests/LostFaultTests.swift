// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

/// What a task did after its fault may be among the records that are missing; what was seen before stays.
@Suite("A fault before a loss")
struct LostFaultTests {
  private static let alloc =
    "mm_page_alloc: page=0000000000000000 pfn=0xa order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_COMP"
    + "|__GFP_ZERO"

  /// The outcome that is told of a fault that these lines follow, and then a loss.
  private func outcome(_ error: String, _ lines: [String]) throws -> FaultOutcome? {
    let head = [
      "page_fault_user: address=0x7f0000800000 ip=0x1000 error_code=0x6",
      "rss_stat: mm_id=77 curr=1 type=MM_ANONPAGES size=40960B",
      "page_fault_user: address=0x7f0000000000 ip=0x1000 error_code=\(error)",
    ]
    func text(_ lines: [String], at first: Int) -> String {
      lines.enumerated().map { index, line in
        "  sh-100   [000] .....  1.\(String(first + index)): \(line)\n"
      }.joined()
    }
    let events = try normalized(
      text: text(head + lines, at: 100_000) + "CPU:0 [LOST 12 EVENTS]\n" + text(["sys_brk(brk: 0)"], at: 200_000))
    guard let loss = events.firstIndex(where: { if case .lost = $0.event { true } else { false } }) else {
      Issue.record("no loss told")
      return nil
    }
    return events[..<loss].compactMap {
      if case .fault(VirtualPage(0x7f0000000), _, let outcome) = $0.event { outcome } else { nil }
    }.first
  }

  @Test("Its commit was seen: it is told before the loss")
  func committed() throws {
    let counter = "rss_stat: mm_id=77 curr=1 type=MM_ANONPAGES size=45056B"
    #expect(try outcome("0x6", [Self.alloc, counter]) == .anonymous(PFN(10), .base, replaced: false))
  }

  @Test("Nothing was seen of it: that is no reuse")
  func open() throws {
    #expect(try outcome("0x7", []) == .lost)
    #expect(try outcome("0x6", []) == .lost)
  }

  @Test("Its page was allocated only: it is not told at all")
  func held() throws {
    #expect(try outcome("0x6", [Self.alloc]) == nil)
  }
}
