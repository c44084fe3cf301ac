// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import TestSupport
import Testing

/// Captures of others: what is not understood is said, with the place.
@Suite("Foreign input")
struct ForeignInputTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private static func fixture(_ name: String) -> URL {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../fixtures/\(name)").standardizedFileURL
  }

  /// A fault of a first touch, with a folio of this order.
  private func story(order: Int, size: Int) -> String {
    """
    cpus=1
      bash-1 [000]  1.000001: page_fault_user: address=0x7f0000001000 ip=0x0 error_code=0x7
      bash-1 [000]  1.000002: mm_page_alloc: page=0x1 pfn=0x100000 order=\(order) migratetype=1 \
    gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO
      bash-1 [000]  1.000003: rss_stat: mm_id=589050805 curr=1 type=MM_ANONPAGES size=\(size)B
      bash-1 [000]  1.000004: page_fault_user: address=0x7f0000002000 ip=0x0 error_code=0x7

    """
  }

  @Test("Without a record of a fault or an allocation: refused, with what is there instead, and where")
  func nothing() throws {
    let text = """
      # tracer: nop
       sh-1 [000] .... 1.000001: sched_switch: prev_comm=a
       sh-1 [000] .... 1.000002: page_fault_user: addr=0xffffe153cc00 esr=0x9200004f

      """
    let path = try scratch.write(text, to: "trace")
    for verb in ["replay", "verify", "script"] {
      let run = try Invocation(verb, path)
      #expect(run.status == 1)
      #expect(run.talk.contains("sched_switch 1") && run.talk.contains("line 3: page_fault_user: no field address"))
    }
  }

  @Test("A folio larger than the page allocator gives out is counted, not built", arguments: [11, 13, 18, 30, 31, 64])
  func orders(_ order: Int) throws {
    let run = try Invocation("replay", "--json", try scratch.write(story(order: order, size: 4096), to: "trace"))
    #expect([0, 3].contains(run.status))
    #expect(run.output.contains(#""impossible-records""#))
    let right = try Invocation("replay", "--json", try scratch.write(story(order: 10, size: 4 << 20), to: "right"))
    #expect(!right.output.contains(#""impossible-records""#))
  }

  @Test("A kernel before PG_anon_exclusive is refused by name, and replayed as another when that is asked for")
  func oldKernel() throws {
    let text = "# nop latency trace v1.1.5 on 5.10.117\n" + story(order: 0, size: 4096)
    let path = try scratch.write(text, to: "trace")
    let run = try Invocation("replay", path)
    #expect(run.status == 1 && run.talk.contains("kernel 5.10.117 has no PG_anon_exclusive"))
    #expect(try Invocation("replay", "--kernel", "6.1", path).output.contains("kernel 6.1\n"))
    #expect(try Invocation("replay", "--kernel", "5.18", path).status == 64)
  }

  @Test("Text that names no kernel is taken for the newest, which the report says unless it is told")
  func unnamedKernel() throws {
    let path = try scratch.write(story(order: 0, size: 4096), to: "trace")
    #expect(try Invocation("replay", path).output.contains("assumed-kernel"))
    #expect(try !Invocation("replay", "--kernel", "6.18", path).output.contains("assumed-kernel"))
  }

  @Test("CRLF, raw fields and a system in front are the same trace", arguments: ["\r\n", " kmem:", "raw"])
  func forms(_ change: String) throws {
    let report = try String(contentsOf: Self.fixture("tracefile/shell-report.txt"), encoding: .utf8)
    let changed =
      switch change {
      case "\r\n": report.replacingOccurrences(of: "\n", with: "\r\n")
      case " kmem:":
        report.replacingOccurrences(of: " mm_page_", with: " kmem:mm_page_").replacingOccurrences(
          of: " rss_stat", with: " kmem:rss_stat")
      default:
        // As -R prints them.
        report.replacingOccurrences(of: "GFP_HIGHUSER_MOVABLE|__GFP_ZERO|__GFP_COMP", with: "0x140dca")
          .replacingOccurrences(of: "type=MM_ANONPAGES", with: "member=1")
      }
    #expect(changed != report)
    let plain = try Invocation("replay", "--json", "-q", try scratch.write(report, to: "trace"))
    let other = try Invocation("replay", "--json", "-q", try scratch.write(changed, to: "trace"))
    #expect(plain.output == other.output && plain.status == other.status)
  }

  @Test("A page size that no machine has is a damage of the manifest")
  func pageSize() throws {
    let capture = scratch.url.appending(path: "x.cow")
    try FileManager.default.copyItem(at: Self.fixture("captures/6.18-shell"), to: capture)
    let manifest = capture.appending(path: "capture.json")
    let text = try String(contentsOf: manifest, encoding: .utf8)
    let broken = text.replacing(/"pageSize"\s*:\s*4096/, with: "\"pageSize\": 4294967295")
    #expect(broken != text)
    try broken.write(to: manifest, atomically: true, encoding: .utf8)
    let run = try Invocation("replay", "--json", capture.path)
    #expect([0, 2, 3].contains(run.status) && run.talk.contains("page size is impossible: 4294967295"))
    #expect(run.output.contains(#""damaged-places""#))
  }
}
