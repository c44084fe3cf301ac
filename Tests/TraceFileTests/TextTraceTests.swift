// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import Testing
import TraceFile

@Suite("ftrace text")
struct TextTraceTests {
  static let trace = """
    # tracer: nop
    #
    #           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
                  sh-15325   [000] d....  3834.442198: page_fault_user: address=0x555f0e94ac8c ip=0x555ef60832c3 error_code=0x7
                  sh-15325   [000] .....  3834.442200: mm_page_alloc: page=00000000204e96a5 pfn=0x17766f order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_COMP
                  sh-15325   [000] d..2.  3834.442203: tlb_flush: pages:1 reason:local MM shootdown (3)
       kworker/0:1-e-77 (     77) [001] ...1.  3834.442264: rss_stat: mm_id=2497799619 curr=0 type=MM_ANONPAGES size=4096B
               <...>-15325   [001] d....  3834.442817: page_fault_kernel: address=0x55cb31044240 ip=rep_stos_alternative error_code=0x2
    CPU:1 [LOST 12 EVENTS]
                  sh-15325   [001] .....  3834.443435: sched_process_exec: filename=/usr/bin/sh pid=15325 old_pid=15324
                  sh-15325   [001] .....  3834.444164: sched_process_fork: comm=my sh pid=15325 child_comm=sh child_pid=15326
                  sh-15325   [001] .....  3834.444595: sys_mmap(addr: 0, len: 0x2000, prot: 3, flags: 0x22, fd: 0xffffffff, off: 0)
                  sh-15325   [001] .....  3834.444600: sys_mmap -> 0x7f687fc0c000
                  sh-15325   [000] .....  3834.445251: ma_write: mas_store_prealloc\tNode 0000000000000000 (0 18446744073709551615) range:4096-8191 piv (7) val 000000006940cbe5
                  sh-15325   [000] .....  3834.445752: exit_mmap: mt_mod 00000000792600aa, DESTROY
                  sh-15325   [000] .....  3834.445753: set_migration_pte: addr=7f68aa000, pte=1234abcd order=0
                  sh-15325   [000] .....  3834.445754: tracing_mark_write: snapshot 1 began
                  sh-15325   [000] .....  3834.445755: unheard_of: a=1
                  sh-15325   [000] .....  3834.445756: mm_page_free: page=00000000aa pfn=oops order=0
    this is no event

    """

  struct Seen {
    var name: String
    var pid: Int64
    var time: UInt64
    var values: [String: UInt64]
    var texts: [String: String]
    var missing: [String]
    var lostBefore: Int32
  }

  static func read(_ reader: TraceReader) throws -> [Seen] {
    var seen: [Seen] = []
    var batch = RecordBatch(capacity: 5)
    while reader.nextBatch(into: &batch) {
      for index in 0..<batch.count {
        let record = batch[index]
        let format = try #require(try reader.formats.format(id: record.eventID))
        var one = Seen(
          name: format.name, pid: try #require(format.field("common_pid")?.loadInt64(from: record)),
          time: record.timestamp, values: [:], texts: [:], missing: [], lostBefore: record.lostBefore)
        for field in format.fields {
          if field.layout.kind == .scalar {
            if let value = field.layout.loadUInt64(from: record) {
              one.values[field.name] = value
            } else {
              one.missing.append(field.name)
            }
          } else if let text = field.layout.loadString(from: record) {
            one.texts[field.name] = text
          }
        }
        seen.append(one)
      }
    }
    return seen
  }

  @Test("The file `trace`")
  func traceFile() throws {
    let reader = try TraceFile.open(bytes: Array(Self.trace.utf8), name: "trace")
    let seen = try Self.read(reader)
    #expect(
      seen.map(\.name) == [
        "page_fault_user", "mm_page_alloc", "tlb_flush", "rss_stat", "page_fault_kernel", "sched_process_exec",
        "sched_process_fork", "sys_enter_mmap", "sys_exit_mmap", "ma_write", "exit_mmap", "set_migration_pte", "print",
      ])
    #expect(seen[0].values == ["address": 0x555f_0e94_ac8c, "error_code": 7, "ip": 0x555e_f608_32c3])
    #expect(seen[0].pid == 15325 && seen[0].time == 3_834_442_198_000)
    let alloc = try #require(try reader.formats.format(named: "mm_page_alloc")?.symbols(of: "gfp_flags"))
    #expect(seen[1].values["pfn"] == 0x17766f && seen[1].values["migratetype"] == 1)
    #expect(alloc.text(of: try #require(seen[1].values["gfp_flags"])) == "GFP_HIGHUSER_MOVABLE|__GFP_COMP")
    #expect(seen[2].values == ["pages": 1, "reason": 3])
    #expect(seen[3].pid == 77)
    #expect(seen[3].values == ["mm_id": 2_497_799_619, "curr": 0, "member": 1, "size": 4096])
    #expect(seen[4].missing == ["ip"] && seen[4].values["error_code"] == 2)
    #expect(seen[5].texts["filename"] == "/usr/bin/sh" && seen[5].values == ["pid": 15325, "old_pid": 15324])
    #expect(seen.map(\.lostBefore) == [0, 0, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0])
    #expect(seen[6].texts == ["parent_comm": "my sh", "child_comm": "sh"])
    #expect(seen[6].values == ["parent_pid": 15325, "child_pid": 15326])
    #expect(
      seen[7].values == ["addr": 0, "len": 0x2000, "prot": 3, "flags": 0x22, "fd": 0xffff_ffff, "off": 0])
    #expect(seen[8].values == ["ret": 0x7f68_7fc0_c000])
    #expect(
      seen[9].values == [
        "node": 0, "min": 0, "max": .max, "index": 4096, "last": 8191, "piv": 7, "val": 0x6940_cbe5,
      ])
    #expect(seen[9].texts == ["fn": "mas_store_prealloc"])
    #expect(seen[10].values == ["mt": 0x7926_00aa] && seen[10].missing == ["mm"])
    #expect(seen[11].values == ["addr": 0x7_f68a_a000, "pte": 0x1234_abcd, "order": 0])
    #expect(seen[12].texts == ["buf": "snapshot 1 began"])
    let lines = try #require(reader.lines)
    #expect(lines.ignored[.event("unheard_of")] == 1 && lines.ignored[.unrecognised] == 1)
    #expect(
      lines.refused == [
        .init(event: "mm_page_free", reason: .badValue(field: "pfn")): .init(lines: 1, firstLine: 19)
      ])
    #expect(lines.lines == 20 && lines.read == 13)
    let summary = reader.summary()
    #expect(summary.records == 13 && summary.lines == reader.lines)
    #expect(summary.lost.first?.lost.counted == 12)
  }

  @Test(
    "What trace-cmd prints of the fixture says the same as the fixture", .enabled(if: Fixture.hasTraceCmd),
    arguments: [["report"], ["report", "-R"], ["report", "-t"]])
  func traceCmd(_ arguments: [String]) throws {
    let text = try Fixture.run("/usr/bin/trace-cmd", arguments: arguments + ["-i", Fixture.shell])
    let reader = try TraceFile.open(bytes: Array(text.utf8), name: "report")
    let seen = try Self.read(reader)
    let binary = try Self.read(try TraceFile.open(Fixture.shell))
    // libtraceevent cannot print ma_write in one of the forms it has: it then prints as with -R.
    let lines = try #require(reader.lines)
    #expect(lines.refused.isEmpty && lines.read == UInt64(seen.count) && lines.ignored == [.heading: 1])
    try #require(seen.count == binary.count)
    for (mine, truth) in zip(seen, binary) {
      #expect(mine.name == truth.name && mine.pid == truth.pid)
      #expect(arguments.contains("-t") ? mine.time == truth.time : mine.time / 1_000_000 <= truth.time / 1_000_000 + 1)
      for (name, value) in mine.values where truth.values[name] != nil && name != "fn" {
        #expect(truth.values[name].map { Self.agrees($0, value) } == true, "\(mine.name) \(name) \(value)")
      }
    }
  }

  /// Text shows 32-bit numbers without their sign.
  static func agrees(_ a: UInt64, _ b: UInt64) -> Bool { a == b || a & 0xffff_ffff == b }
}
