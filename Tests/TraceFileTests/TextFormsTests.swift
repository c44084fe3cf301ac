// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import TraceFile
import Testing

/// The forms in which people post traces, and what is wrong with some.
@Suite("Forms of ftrace text")
struct TextFormsTests {
  struct Form: Sendable, CustomTestStringConvertible {
    var name: String
    var text: String
    var read: UInt64 = 0
    var refused: [TextAccount.Refusal] = []
    var ignored: [TextAccount.Ignored: UInt64] = [:]
    /// Task, CPU and nanoseconds of the first record.
    var first: (task: Int64, cpu: UInt16, time: UInt64)?
    var testDescription: String { name }
  }

  static let free = "mm_page_free: page=0x10 pfn=0x10 order=0"

  static let forms: [Form] = [
    Form(
      name: "trace-cmd report", text: "cpus=2\n  sh-15325 [001]  3834.442752: \(free)\n", read: 1,
      ignored: [.heading: 1], first: (15325, 1, 3_834_442_752_000)),
    Form(
      name: "trace-cmd report of kernels with flags",
      text: "  sh-15325 [001] d..2.  3834.442752: \(free)\n", read: 1, first: (15325, 1, 3_834_442_752_000)),
    Form(
      name: "of a buffer by name", text: "task:  sh-15325 [001]  3834.442752: \(free)\n", read: 1,
      first: (15325, 1, 3_834_442_752_000)),
    Form(
      name: "the file trace",
      text: "# tracer: nop\n#\n   sh-15325 (  15325) [001] d..2.  3834.442752: \(free)\n", read: 1,
      ignored: [.comment: 2], first: (15325, 1, 3_834_442_752_000)),
    Form(
      name: "latency format",
      text: "# nop latency trace v1.1.5 on 6.12.0\nworker-100     1d...2.. 2563695126us : \(free)\n", read: 1,
      ignored: [.comment: 1], first: (100, 1, 2_563_695_126_000)),
    Form(
      name: "latency format, a mark for a long wait", text: "  <idle>-0      12..s1    3us!: \(free)\n", read: 1,
      first: (0, 12, 3_000)),
    Form(
      name: "trace-cmd report -l", text: "  sh-15325  1d..2  3834.442752: \(free)\n", read: 1,
      first: (15325, 1, 3_834_442_752_000)),
    Form(
      name: "perf script",
      text: """
            my sh 15325/15326 [001]  3834.442752: kmem:\(free)
                ffffffff81234567 free_unref_page+0x11 ([kernel.kallsyms])

            sh 15325 [001]  3834.442752: sched:sched_switch: prev_comm=a

        """, read: 1, ignored: [.callChain: 1, .blank: 1, .event("sched_switch"): 1],
      first: (15326, 1, 3_834_442_752_000)),
    Form(
      name: "perf script, loss",
      text: "  sh 7 [001]  1.5: kmem:\(free)\n  sh 7 [001]  1.6: PERF_RECORD_LOST lost 12\n", read: 1,
      ignored: [.lossNote: 1], first: (7, 1, 1_500_000_000)),
    Form(
      name: "system in front", text: " sh-1 [000] d.... 2.000001: kmem:\(free)\n", read: 1, first: (1, 0, 2_000_001_000)
    ),
    Form(
      name: "an event of that name of another system", text: " sh-1 [000] d.... 2.000001: xen:\(free)\n",
      ignored: [.event("xen:mm_page_free"): 1]),
    Form(
      name: "CRLF", text: "# tracer: nop\r\n sh-1 [000] d.... 2.000001: \(free)\r\n\r\n", read: 1,
      ignored: [.comment: 1, .blank: 1], first: (1, 0, 2_000_001_000)),
    Form(
      name: "no end of the last line", text: " sh-1 [000] d.... 2.000001: \(free)", read: 1,
      first: (1, 0, 2_000_001_000)),
    Form(
      name: "a name with brackets, blanks and a dash", text: "  my [000] 1.0: x-7-12 [003] .... 5.000001: \(free)\n",
      read: 1, first: (12, 3, 5_000_001_000)),
    Form(
      name: "function_graph between",
      text: """
        # tracer: function_graph
         3)               |  __alloc_pages() {
         3)   3.328 us    |  }
         ------------------------------------------
         3)  sh-1  =>  bash-2
        \u{20}3834.442752 |   1)   sh-15325   |               |  /* \(free) */
        """, read: 1, ignored: [.comment: 1, .function: 4], first: (15325, 1, 3_834_442_752_000)),
    Form(
      name: "function_graph without time", text: " 3)               |  /* \(free) */\n 3)   |  /* sched_wakeup: x */\n",
      refused: [.init(event: "mm_page_free", reason: .noHead)], ignored: [.event("sched_wakeup"): 1]),
    Form(
      name: "function", text: " sh-1 [000] d.... 2.000001: vfs_read <-ksys_read\n => vfs_read\n",
      ignored: [.function: 1, .callChain: 1]),
    Form(
      name: "a decimal frame of an old kernel",
      text: " sh-1 [000] 2.000001: mm_page_free: page=ffffea00 pfn=16 order=0\n",
      read: 1, first: (1, 0, 2_000_001_000)),
    Form(
      name: "a field is missing", text: " sh-1 [000] 2.000001: page_fault_user: addr=0xffffe153cc00 esr=0x9200004f\n",
      refused: [.init(event: "page_fault_user", reason: .missing(field: "address"))]),
    Form(
      name: "a value is none", text: " sh-1 [000] 2.000001: exit_mmap: mt_mod (____ptrval____), DESTROY\n",
      refused: [.init(event: "exit_mmap", reason: .badValue(field: "mt"))]),
    Form(
      name: "an event that matters, without a head", text: "# tracer: nop\n<6> \(free)\nDear all,\n",
      refused: [.init(event: "mm_page_free", reason: .noHead)], ignored: [.comment: 1, .unrecognised: 1]),
    Form(
      name: "system calls by number",
      text: """
        sh-1 [000] 2.000001: tlb_flush: pages:1 reason:local MM shootdown (3)
        sh-1 [000] 2.000002: sys_enter: NR 9 (0, 2000, 3, 22, ffffffff, 0)
        sh-1 [000] 2.000003: sys_exit: NR 9 = 140094124867584
        sh-1 [000] 2.000004: sys_enter: NR 39 (0, 2000, 3, 22, ffffffff, 0)
        """, read: 3, ignored: [.event("sys_enter"): 1], first: (1, 0, 2_000_001_000)),
    Form(
      name: "system calls by number, of who knows what machine",
      text: "sh-1 [000] 2.000002: sys_enter: NR 9 (0, 2000, 3, 22, ffffffff, 0)\n",
      refused: [.init(event: "sys_enter", reason: .unknownMachine)]),
    Form(
      name: "system calls by number and by name",
      text: """
        sh-1 [000] 2.000002: sys_enter: NR 12 (0, 2000, 3, 22, ffffffff, 0)
        sh-1 [000] 2.000002: sys_enter_brk: brk: 0x0
        """, read: 1, ignored: [.event("sys_enter"): 1], first: (1, 0, 2_000_002_000)),
    Form(
      name: "what the kernel lost", text: "CPU:1 [LOST 12 EVENTS]\nCPU:2 [7 EVENTS DROPPED]\nCPU:3 [EVENTS DROPPED]\n",
      ignored: [.lossNote: 3]),
    Form(
      name: "trace-cmd report --stat", text: "CPU 1 is empty\nCPU: 0\nentries: 5\noverrun: 7\ndropped events: 1\n",
      ignored: [.heading: 5]),
  ]

  @Test("Each form is read, refused by name or ignored by name, every line of it", arguments: forms)
  func form(_ form: Form) throws {
    // The head makes it text, whatever stands below.
    let reader = try TraceFile.open(bytes: Array(("version = 7\n" + form.text).utf8), name: "form")
    let seen = try TextTraceTests.read(reader)
    let lines = try #require(reader.lines)
    #expect(lines.read == form.read && UInt64(seen.count) == form.read)
    #expect(Set(lines.refused.keys) == Set(form.refused))
    var ignored = lines.ignored
    ignored[.heading] = ignored[.heading].flatMap { $0 > 1 ? $0 - 1 : nil }
    #expect(ignored == form.ignored)
    if let first = form.first, let one = seen.first {
      #expect(one.pid == first.task && one.time == first.time)
      #expect(one.name != "mm_page_free" || one.values["pfn"] == 16)
    }
    expectEveryLine(lines, of: "version = 7\n" + form.text)
  }

  @Test("Arguments and result of a call by number")
  func numbers() throws {
    let form = try #require(Self.forms.first { $0.name == "system calls by number" })
    let seen = try TextTraceTests.read(try TraceFile.open(bytes: Array(form.text.utf8), name: "form"))
    #expect(seen.map(\.name) == ["tlb_flush", "sys_enter_mmap", "sys_exit_mmap"])
    #expect(seen[1].values == ["addr": 0, "len": 0x2000, "prot": 3, "flags": 0x22, "fd": 0xffff_ffff, "off": 0])
    #expect(seen[2].values == ["ret": 140_094_124_867_584])
  }

  @Test("Flags are names, numbers, or both; a single bit of a name nobody knows is none that is asked for")
  func flags() throws {
    for (text, value) in [
      ("GFP_HIGHUSER_MOVABLE|__GFP_COMP", 0x14_0cca), ("0x140cca", 0x14_0cca), ("none", 0),
      ("GFP_KERNEL|__GFP_SKIP_KASAN|0x100", 0xdc0), ("GFP_NEVER_HEARD_OF", nil), ("", nil), ("__GFP_COMP|", nil),
    ] as [(String, UInt64?)] {
      let line = " sh-1 [000] 2.000001: mm_page_alloc: page=0x1 pfn=0x1 order=0 migratetype=1 gfp_flags=\(text)\n"
      let reader = try TraceFile.open(bytes: Array(line.utf8), name: "flags")
      let seen = try TextTraceTests.read(reader)
      // The flags are the last field, and may be missing.
      #expect(seen.first?.values["gfp_flags"] == value, "\(text)")
    }
  }

  @Test("Loss is told where the CPU's records end, before others' that come in between")
  func lossMarks() throws {
    let text = """
      sh-1 [000] 2.000001: \(Self.free)
      sh-1 [001] 2.000002: \(Self.free)
      sh-1 [000] 2.000003: \(Self.free)
      CPU:1 [LOST 12 EVENTS]
      sh-1 [001] 2.000004: \(Self.free)
      sh-1 [000] 2.000005: \(Self.free)
      CPU:2 [LOST 3 EVENTS]
      CPU:1 [LOST 4 EVENTS]
      """
    let reader = try TraceFile.open(bytes: Array(text.utf8), name: "loss")
    var batch = RecordBatch()
    _ = reader.nextBatch(into: &batch)
    #expect(batch.count == 5)
    #expect(
      batch.lossMarks == [
        LossMark(position: 0, cpu: 2), LossMark(position: 2, cpu: 1), LossMark(position: 4, cpu: 1),
      ])
    #expect((0..<5).map { batch[$0].lostBefore } == [0, 0, 0, 12, 0])
    #expect(reader.lost.map(\.lost.counted) == [16, 3])
  }

  @Test("Time that goes backwards is loss, and what was overwritten before is counted")
  func backwards() throws {
    let text = """
      # entries-in-buffer/entries-written: 100/130   #P:2
      sh-1 [000] 2.000002: \(Self.free)
      sh-1 [000] 2.000001: \(Self.free)
      """
    let reader = try TraceFile.open(bytes: Array(text.utf8), name: "backwards")
    #expect(reader.all().map(\.lostBefore) == [0, -1])
    #expect(reader.lines?.backwards == 1 && reader.lines?.overwritten == 30)
    #expect(reader.lines?.gaps[.timeBackwards] == 1 && reader.lines?.gaps[.overwrittenRecords] == 30)
  }

  @Test("The release stands in the heading of the latency format")
  func release() throws {
    let form = try #require(Self.forms.first { $0.name == "latency format" })
    #expect(try TraceFile.open(bytes: Array(form.text.utf8), name: "form").metadata.kernel == "6.12.0")
  }

  @Test("Mutated: every line is accounted for", arguments: 0..<8)
  func mutated(_ part: UInt64) throws {
    var random = SplitMix(state: 0x7e87_0000 + part)
    let corpus = Self.forms.map(\.text) + [TextTraceTests.trace]
    for _ in 0..<50 {
      var text = Array(("version = 7\n" + corpus[Int(random.next() % UInt64(corpus.count))]).utf8)
      text += Array(corpus[Int(random.next() % UInt64(corpus.count))].utf8)
      for _ in 0...(random.next() % 8) { Self.mutate(&text, &random) }
      let whole = Array("version = 7\n".utf8) + text
      guard let reader = try? TraceFile.open(bytes: whole, name: "mutated") else { continue }
      let records = reader.all()
      let lines = try #require(reader.lines)
      #expect(lines.read == UInt64(records.count))
      expectEveryLine(lines, of: String(decoding: whole, as: UTF8.self), bytes: whole)
    }
  }

  private static func mutate(_ text: inout [UInt8], _ random: inout SplitMix) {
    guard text.count > 2 else { return }
    let place = Int(random.next() % UInt64(text.count))
    switch random.next() % 6 {
    case 0: text[place] = UInt8(truncatingIfNeeded: random.next())
    case 1: text.remove(at: place)
    case 2: text.insert(Array(" \t\n\r[]()|:-=/0x".utf8)[Int(random.next() % 15)], at: place)
    case 3: text.removeSubrange(place..<min(place + Int(random.next() % 40), text.count))
    case 4: text += text[place..<min(place + 200, text.count)]
    default: text.insert(contentsOf: Array(repeating: UInt8(ascii: "9"), count: Int(random.next() % 30)), at: place)
    }
  }

  private func expectEveryLine(_ lines: TextAccount, of text: String, bytes: [UInt8]? = nil) {
    let bytes = bytes ?? Array(text.utf8)
    let ends = bytes.count { $0 == UInt8(ascii: "\n") }
    #expect(lines.lines == UInt64(ends + (bytes.last == UInt8(ascii: "\n") ? 0 : 1)))
    let refused = lines.refused.values.reduce(0) { $0 + $1.lines }
    #expect(lines.read + refused + lines.ignored.values.reduce(0, +) == lines.lines)
  }
}
