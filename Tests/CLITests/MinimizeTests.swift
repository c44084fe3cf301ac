// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import TestSupport
import Testing

/// `tools/minimize`: the finding stays, nothing that it does not need does.
@Suite("Reducing a capture", .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")))
struct MinimizeTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
    .standardizedFileURL

  private static let zeroed = "GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO"

  /// A shell writes two pages and forks; the child copies the second, and the first is kept by the parent, twice, though
  /// the child has it: what no kernel does. Another task has memory of its own, of which some goes.
  private static let story = [
    "100 page_fault_user: address=0x7f0000001000 ip=0x400000 error_code=0x6",
    "100 mm_page_alloc: page=0x1 pfn=0x100000 order=0 migratetype=1 gfp_flags=\(zeroed)",
    "100 rss_stat: mm_id=11 curr=1 type=MM_ANONPAGES size=4096B",
    "100 page_fault_user: address=0x7f0000002000 ip=0x400000 error_code=0x6",
    "100 mm_page_alloc: page=0x1 pfn=0x100001 order=0 migratetype=1 gfp_flags=\(zeroed)",
    "100 rss_stat: mm_id=11 curr=1 type=MM_ANONPAGES size=8192B",
    "300 page_fault_user: address=0x7f0000001000 ip=0x400000 error_code=0x6",
    "300 mm_page_alloc: page=0x1 pfn=0x200000 order=0 migratetype=1 gfp_flags=\(zeroed)",
    "300 rss_stat: mm_id=33 curr=1 type=MM_ANONPAGES size=4096B",
    "100 sys_enter_clone: clone_flags: 0x01200011, newsp: 0x0, parent_tidptr: 0x0, child_tidptr: 0x0, tls: 0x0",
    "100 mmap_lock_acquire_returned: mm=0xffff888100000000 memcg_path= write=true success=true",
    "100 mmap_lock_acquire_returned: mm=0xffff888200000000 memcg_path= write=true success=true",
    "100 ma_write: fn=0xffffffff81000000 min=0x0 max=0xffffffffffffffff index=0x7f0000000000 last=0x7f0000003fff "
      + "piv=0x0 val=0xffff888300000000 node=0xffff888300000001",
    "100 rss_stat: mm_id=22 curr=0 type=MM_ANONPAGES size=8192B",
    "100 tlb_flush: pages=-1 reason=local mm shootdown (3)",
    "100 task_newtask: pid=200 comm=sh clone_flags=1200000 oom_score_adj=0",
    "100 sched_process_fork: comm=sh pid=100 child_comm=sh child_pid=200",
    "100 sys_exit_clone: 0xc8",
    "200 sys_exit_clone: 0x0",
    "200 page_fault_user: address=0x7f0000002000 ip=0x400000 error_code=0x7",
    "200 mm_page_alloc: page=0x1 pfn=0x100002 order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_COMP",
    "200 tlb_flush: pages=1 reason=local mm shootdown (3)",
    "300 page_fault_user: address=0x7f0000005000 ip=0x400000 error_code=0x4",
    "100 page_fault_user: address=0x7f0000001000 ip=0x400000 error_code=0x7",
    "100 page_fault_user: address=0x7f0000002000 ip=0x400000 error_code=0x7",
    "100 page_fault_user: address=0x7f0000001000 ip=0x400000 error_code=0x7",
    "300 page_fault_user: address=0x7f0000006000 ip=0x400000 error_code=0x4",
    "300 mm_page_free: page=0x1 pfn=0x300000 order=0",
    "300 exit_mmap: mt_mod 0xffff888400000040, DESTROY",
  ].enumerated().map { index, record in
    let parts = record.split(separator: " ", maxSplits: 1)
    return "  sh-\(parts[0]) [000] 1.\(String(index + 1_000_001).dropFirst()): \(parts[1])\n"
  }

  private func minimize(_ capture: String, _ finding: String...) throws -> Invocation {
    let options = finding.map { "'\($0)'" }.joined(separator: " ")
    return try Invocation(
      shell: "'\(Self.root.path)/tools/minimize' '\(capture)' --binary \"$cowscope\" -q \(options)")
  }

  private func records(of text: String) -> [String] {
    text.split(separator: "\n").filter { $0.hasPrefix("  sh-") }.map { $0 + "\n" }
  }

  private func disagreements(_ records: [String]) throws -> Bool {
    let path = try scratch.write("cpus=2\n" + records.joined(), to: "candidate")
    return try Invocation("verify", "-q", "--kernel", "6.18", path).status == 2
  }

  @Test("A disagreement: the first touch, the fork, and the two faults that came to nothing; none of them can go")
  func disagreement() throws {
    let path = try scratch.write("cpus=2\n" + Self.story.joined(), to: "trace")
    let run = try minimize(path, "--disagreement", "--kernel", "6.18")
    #expect(run.status == 0, "\(run.talk)")
    let kept = records(of: run.output)
    #expect(kept.count <= 6 && kept.allSatisfy { Self.story.contains($0) })
    #expect(try disagreements(kept))
    for index in kept.indices {
      var fewer = kept
      fewer.remove(at: index)
      #expect(try !disagreements(fewer), "\(kept[index])")
    }
  }

  @Test("A verdict: the first touch of the page, and what tells of the fork")
  func verdict() throws {
    let path = try scratch.write("cpus=2\n" + Self.story.joined(), to: "trace")
    let run = try minimize(path, "--verdict", "C-raw", "UNSAFE", "--kernel", "6.18")
    let kept = records(of: run.output)
    #expect(run.status == 0 && kept.count <= 4 && kept.allSatisfy { Self.story.contains($0) }, "\(run.talk)")
    let reduced = try scratch.write(run.output, to: "reduced")
    let replay = try Invocation("replay", "-q", "--json", "--encoding", "C-raw", "--kernel", "6.18", reduced)
    let found = replay.output.split(separator: "\n").filter { $0.contains(#""verdict":"UNSAFE""#) }
    #expect(found.contains { $0.contains(#""encoding":"C-raw""#) && $0.contains(#""certainty":"definite""#) })
  }

  @Test("What is not there is refused, and so is what rests on a snapshot")
  func refused() throws {
    let path = try scratch.write("cpus=2\n" + Self.story.joined(), to: "trace")
    let absent = try minimize(path, "--unknown", "userfaultfd", "--kernel", "6.18")
    #expect(absent.status == 1 && absent.output.isEmpty && absent.talk.contains("does not have a finding unknown"))

    // The flag of one anonymous page, KPF_ANON and the like beside it, is cleared.
    let capture = scratch.path("copy")
    try FileManager.default.copyItem(
      at: Self.root.appending(path: "fixtures/captures/6.1-tour"), to: URL(filePath: capture))
    let file = URL(filePath: capture).appending(path: "snapshots.bin")
    var snapshots = try Data(contentsOf: file)
    let flags = Data([0x28, 0x58, 0, 0, 4, 0, 0, 0])
    let place = try #require(snapshots.range(of: flags))
    snapshots[place.lowerBound + 4] = 0
    try snapshots.write(to: file)
    let shown = try minimize(capture, "--disagreement")
    #expect(shown.status == 1 && shown.output.isEmpty && shown.talk.contains("rests on a snapshot"))
  }
}
