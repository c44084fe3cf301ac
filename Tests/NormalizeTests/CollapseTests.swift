// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import TraceFile
import Testing

@testable import Normalize

/// Since 7.2 khugepaged collapses to orders below that of a PMD, and its events have an `order`.
@Suite("Collapses")
struct CollapseTests {
  private func collapsed(_ order: String) throws -> [MMEvent] {
    let lock = "mmap_lock_acquire_returned: mm=0xffff888100000000 memcg_path= write=false success=true"
    let events = try normalized([
      (100, "page_fault_user: address=0x7f0000800000 ip=0x1000 error_code=0x6"),
      (100, "rss_stat: mm_id=77 curr=1 type=MM_ANONPAGES size=40960B"), (100, lock),
      (
        42,
        "mm_page_alloc: page=0000000000000000 pfn=0x40 order=6 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_COMP"
      ),
      (42, "mm_collapse_huge_page_isolate: scan_pfn=0x20 none_or_zero=0 referenced=64 status=succeeded\(order)"),
      (42, "mm_collapse_huge_page: mm=0xffff888100000000 isolated=1 status=succeeded\(order)"),
    ])
    return events.map(\.event)
  }

  @Test("A collapse is of the order it says, else of a PMD's; the folio is the one allocated with it")
  func orders() throws {
    let small = try collapsed(" order=6")
    #expect(small.contains { if case .collapsed(PFN(0x40), FolioOrder(6)) = $0 { true } else { false } })
    let old = try collapsed("")
    #expect(old.contains { if case .collapsed(nil, FolioOrder(9)) = $0 { true } else { false } })
  }

  @Test("A scan has its counts; its status goes by name, and who asked by the call that it is in")
  func scans() throws {
    let mm = "mm=0xffff888100000000"
    let events = try normalized([
      (100, "page_fault_user: address=0x7f0000800000 ip=0x1000 error_code=0x6"),
      (100, "rss_stat: mm_id=77 curr=1 type=MM_ANONPAGES size=40960B"),
      (100, "mmap_lock_acquire_returned: \(mm) memcg_path= write=false success=true"),
      (
        42,
        "mm_khugepaged_scan_pmd: \(mm), scan_pfn=0x20, referenced=3, none_or_zero=5, status=exceed_none_pte, unmapped=2"
      ),
      (100, "sys_enter_madvise: start: 0x7f0000800000, len_in: 0x200000, behavior: 0x19"),
      (
        100,
        "mm_khugepaged_scan_pmd: \(mm), scan_pfn=0xffffffffffffffff, referenced=0, none_or_zero=0, status=no_pte_table, unmapped=0"
      ),
      (42, "mm_khugepaged_scan_pmd: mm=0x1234, scan_pfn=0x20, referenced=0, none_or_zero=0, status=failed, unmapped=0"),
    ])
    let scans = events.compactMap { if case .scanned(let scan) = $0.event { scan } else { nil } }
    // That of an mm which is not followed is not told.
    try #require(scans.count == 2)
    #expect(scans[0].frame == PFN(0x20) && scans[0].referenced == 3 && scans[0].missing == 5)
    #expect(scans[0].unmapped == 2 && scans[0].status == .exceededNone && scans[0].isKhugepaged)
    #expect(scans[1].frame == nil && scans[1].status == .failed && !scans[1].isKhugepaged)
  }

  /// `hpage_collapse_scan_pmd` and the isolation hand over no page where there is none.
  @Test("A scan that failed names no frame, and is no impossible record")
  func failed() throws {
    let text = (0..<2).map { index in
      "  khugepaged-42   [000] .....  1.10000\(index): mm_collapse_huge_page_isolate: scan_pfn=0xffffffffffffffff "
        + "none_or_zero=0 referenced=0 status=pte_non_present\n"
    }
    let reader = try TraceFile.open(
      bytes: Array(
        ("# tracer: nop\n  sh-1   [000] .....  1.0: page_fault_user: address=0x1000 ip=0x1 error_code=0x6\n"
          + text.joined()).utf8), name: "trace")
    var normalizer = try Normalizer(formats: reader.formats)
    var batch = RecordBatch()
    var events: [MMEventRecord] = []
    while reader.nextBatch(into: &batch) { normalizer.consume(batch, into: &events) }
    #expect(normalizer.gaps[.impossibleRecords] == 0)
  }

  /// 7.2: `sys_enter_execve` has what the first argument points at, after the last.
  @Test("What an argument points at is no argument")
  func pointedAt() throws {
    func field(_ name: String, _ offset: UInt32, _ kind: FieldLayout.Kind) -> EventFormat.Field {
      let size: UInt32 = kind == .scalar ? 8 : 4
      return EventFormat.Field(
        name: name, type: "",
        layout: FieldLayout(offset: offset, size: size, elementSize: size, isSigned: false, kind: kind))
    }
    var layouts = EventLayouts()
    try layouts.addSyscallEnter(
      .execve,
      EventFormat(
        system: "syscalls", name: "sys_enter_execve", id: 1, commonFields: [],
        fields: [
          field("__syscall_nr", 8, .scalar), field("filename", 16, .scalar), field("argv", 24, .scalar),
          field("envp", 32, .scalar), field("__filename_val", 40, .dataLocation),
        ], symbolsByField: [:]))
    #expect(layouts.arguments[.execve]?.count == 3)
  }
}
