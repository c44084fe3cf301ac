// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Normalize

/// A task (100) has memory of another process (200) pinned: `process_vm_writev` (`pin_user_pages_remote`). GUP takes that
/// mm's lock, and fills what it needs (`faultin_page`) under it.
@Suite("Pins of another process's memory")
struct PinProbeTests {
  private static func lock(_ mm: String) -> ProbedLine {
    .text("mmap_lock_acquire_returned: mm=0x\(mm) memcg_path= write=false success=true")
  }
  private static let own = lock("ffff888100000000")
  private static let other = lock("ffff888200000000")
  private static let third = lock("ffff888300000000")

  /// Three processes that are known by their first faults.
  private static let beginning: [(task: Int, line: ProbedLine)] = [(100, 77, own), (200, 88, other), (300, 99, third)]
    .flatMap { task, id, lock in
      [
        (task, .text("page_fault_user: address=0x7f0000800000 ip=0x1000 error_code=0x6")),
        (task, .text("rss_stat: mm_id=\(id) curr=1 type=MM_ANONPAGES size=40960B")), (task, lock),
        (task, .text("rss_stat: mm_id=\(id) curr=1 type=MM_FILEPAGES size=40960B")),
      ]
    }

  private static let range = PageRange(start: VirtualPage(0x7f0000003), count: 2)
  private static let begin = ProbedLine.probe(
    Probed(.pinRemote, ["mm": 0xffff_8882_0000_0000, "start": 0x7f00_0000_3000, "nr": 2, "flags": 1]))
  private static func end(_ pages: Int64) -> ProbedLine {
    .probe(Probed(.pinRemoteExit, ["got": UInt64(bitPattern: pages)]))
  }
  private static func alloc(zeroed: Bool, order: Int = 0) -> ProbedLine {
    .text(
      "mm_page_alloc: page=0000000000000000 pfn=0x200 order=\(order) migratetype=1 gfp_flags="
        + "GFP_HIGHUSER_MOVABLE|__GFP_COMP" + (zeroed ? "|__GFP_ZERO" : ""))
  }

  /// What 100 is told to do in the mms of 200 and 300.
  private func told(_ lines: [ProbedLine]) throws -> [MMEvent] {
    let events = try normalized(Self.beginning + lines.map { (100, $0) })
    let own = events.first { $0.task == TaskID(100) && $0.mm != nil }?.mm
    return events.filter { $0.task == TaskID(100) && $0.mm != nil && $0.mm != own }.map(\.event)
  }

  private func filled(_ events: [MMEvent]) -> [FaultOutcome] {
    events.compactMap { if case .populated(Self.range, let outcome) = $0 { outcome } else { nil } }
  }

  private func appeared(_ events: [MMEvent]) -> Bool {
    events.contains { if case .appeared(PFN(0x200), _) = $0 { true } else { false } }
  }

  /// `alloc_anon_folio` has a page zeroed, and clears a large folio itself; `wp_page_copy` asks for neither.
  @Test("A page of zeros was missing, and so was what is large; any other page is a copy")
  func fills() throws {
    for (zeroed, order, outcome) in [
      (true, 0, .anonymous(PFN(0x200), .base, replaced: false)),
      (false, 2, .anonymous(PFN(0x200), FolioOrder(2), replaced: false)),
      (true, 9, .anonymous(PFN(0x200), FolioOrder(9), replaced: false)),
      (false, 0, .copied(PFN(0x200), sinceDecision: 0)),
    ] as [(Bool, Int, FaultOutcome)] {
      let events = try told([Self.begin, Self.other, Self.alloc(zeroed: zeroed, order: order), Self.end(2)])
      #expect(filled(events) == [outcome] && !appeared(events))
      #expect(events.contains { if case .pinBegan(Self.range, .write) = $0 { true } else { false } })
      #expect(events.contains { if case .pinEnded(Self.range) = $0 { true } else { false } })
    }
  }

  @Test("What comes after the pin, or in an mm that is not the pin's, is somewhere")
  func elsewhere() throws {
    let copy = Self.alloc(zeroed: false)
    let after = try told([Self.begin, Self.other, Self.end(2), Self.other, copy, Self.own])
    #expect(filled(after).isEmpty && appeared(after))
    // The end of the pin is missing.
    let strange = try told([Self.begin, Self.other, Self.third, copy, Self.own])
    #expect(filled(strange).isEmpty && appeared(strange))
  }

  @Test("GUP pins no more than it was asked for; an error pins nothing")
  func ends() throws {
    for (result, pages) in [(1, 1), (2, 2), (5, 2), (-14, 0)] as [(Int64, Int)] {
      let ended = try told([Self.begin, Self.other, Self.end(result)]).compactMap { event -> Int? in
        if case .pinEnded(let range?) = event, range.start == Self.range.start { range.count } else { nil }
      }
      #expect(ended == [pages])
    }
  }
}
