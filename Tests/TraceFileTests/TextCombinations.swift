// SPDX-License-Identifier: GPL-2.0-only

import TraceFile

/// Lines of ftrace text put together from a head, an event and a change, each of which says itself what has to come of
/// it: the expectation is written beside the text, and owes nothing to the parser.
enum TextCombinations {
  struct Expected: Equatable {
    var name: String
    var pid: Int64
    var cpu: UInt16
    var time: UInt64
    var values: [String: UInt64]
  }

  enum Fate {
    case read(Expected)
    case refused(TextAccount.Refusal)
    case ignored(TextAccount.Ignored)
  }

  struct Line {
    var text: String
    var fate: Fate
  }

  // — what stands in front

  /// What people's tasks are called.
  static let tasks = [
    "sh", "my prog", "a-7", "x[0]", "[jbd2]", "kworker/0:1-ev", "(sd-pam)", "Web Content", "a: b", "<...>", "12", "p=1",
    "C2 CompilerThre", "x [y] z", "a-7[0]", "b-1 [2]", "node:1,2", "{core}", "*", "pool-1-thread-2",
  ]

  struct Head: Sendable {
    /// Task, id, CPU, and the time in words.
    var text: @Sendable (String, Int, Int, String) -> String
    var time: Time
    /// The text has no end other than the line's.
    var end = ""
    /// Of a system: `kmem:mm_page_free`.
    var namesSystem = false

    enum Time: Sendable {
      case seconds, nanoseconds, microseconds
      /// The clock `counter`, which counts events; no unit is printed.
      case count
    }
  }

  private static func padded(_ cpu: Int) -> String { String(repeating: "0", count: cpu < 10 ? 2 : 1) + "\(cpu)" }

  static let heads: [Head] = [
    // trace-cmd report: plain, with flags, of a named buffer.
    Head(text: { "\($0 as String)-\($1) [\(padded($2))]  \($3): " }, time: .seconds),
    Head(text: { "   \($0 as String)-\($1)  [\(padded($2))] d..2.  \($3): " }, time: .seconds),
    Head(text: { "task: \($0 as String)-\($1) [\(padded($2))]  \($3): " }, time: .seconds),
    // The file trace: flags, with tgid, with none, migrate-disable.
    Head(text: { "    \($0 as String)-\($1)   [\(padded($2))] .....  \($3): " }, time: .seconds),
    Head(text: { " \($0 as String)-\($1)  ( \($1)) [\(padded($2))] dNh3.  \($3): " }, time: .seconds),
    Head(text: { " \($0 as String)-\($1)  (-------) [\(padded($2))] ....1  \($3): " }, time: .seconds),
    // Latency columns of the kernel, and of trace-cmd report -l.
    Head(text: { "\($0 as String)-\($1) \($2)d..2. \($3)us : " }, time: .microseconds),
    Head(text: { "\($0 as String)-\($1) \($2)....1 \($3)us!: " }, time: .microseconds),
    Head(text: { "  \($0 as String)-\($1)  \($2)d..2  \($3): " }, time: .seconds),
    // perf script.
    Head(text: { "\($0 as String) \($1) [\(padded($2))] \($3): " }, time: .seconds, namesSystem: true),
    Head(text: { "\($0 as String) 77/\($1) [\(padded($2))]  \($3):   " }, time: .seconds, namesSystem: true),
    // A system in front, in the file trace.
    Head(text: { " \($0 as String)-\($1) [\(padded($2))] d....  \($3): " }, time: .seconds, namesSystem: true),
    // trace-cmd report -t, and a clock that is none.
    Head(text: { "   \($0 as String)-\($1)  [\(padded($2))]  \($3): " }, time: .nanoseconds),
    Head(text: { "   \($0 as String)-\($1)  [\(padded($2))] .....  \($3): " }, time: .count),
    // In a comment of function_graph, with funcgraph-abstime and funcgraph-proc.
    Head(text: { " \($3) |   \($2))   \($0 as String)-\($1)   |               |  /* " }, time: .seconds, end: " */"),
  ]

  // — events

  struct Body: Sendable {
    var system: String
    var name: String
    var text: String
    var values: [String: UInt64]?
    /// Fields without which it is refused, each with the key that stands in front of it.
    var keys: [String: String] = [:]
    var isIgnored = false
    var refusal: TextAccount.Reason?

    init(_ system: String, _ name: String, _ text: String, _ values: [String: UInt64], keys: [String: String]) {
      (self.system, self.name, self.text, self.values, self.keys) = (system, name, text, values, keys)
    }

    init(ignored system: String, _ name: String, _ text: String) {
      (self.system, self.name, self.text, isIgnored) = (system, name, text, true)
    }

    init(refused system: String, _ name: String, _ text: String, _ reason: TextAccount.Reason) {
      (self.system, self.name, self.text, refusal) = (system, name, text, reason)
    }
  }

  static let bodies: [Body] = [
    Body(
      "kmem", "mm_page_free", "page=0x00000000204e96a5 pfn=0x17766f order=0", ["pfn": 0x17766f, "order": 0],
      keys: ["pfn": "pfn=", "order": "order="]),
    // Before 5.14 a frame is decimal.
    Body(
      "kmem", "mm_page_free", "page=ffffea0000b4a100 pfn=1537679 order=3", ["pfn": 1_537_679, "order": 3],
      keys: ["pfn": "pfn=", "order": "order="]),
    Body(
      "kmem", "mm_page_alloc",
      "page=0000000095fa7b5b pfn=0x2c42b7 order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_COMP",
      ["pfn": 0x2c42b7, "order": 0, "migratetype": 1, "gfp_flags": 0x14_0cca],
      keys: ["pfn": "pfn=", "order": "order=", "migratetype": "migratetype="]),
    // -R
    Body(
      "kmem", "mm_page_alloc", "pfn=0x2c42b7 order=9 gfp_flags=0x140cca migratetype=1",
      ["pfn": 0x2c42b7, "order": 9, "migratetype": 1, "gfp_flags": 0x14_0cca],
      keys: ["pfn": "pfn=", "order": "order=", "migratetype": "migratetype="]),
    Body(
      "exceptions", "page_fault_user", "address=0x555f0e94ac8c ip=0x555ef60832c3 error_code=0x7",
      ["address": 0x555f_0e94_ac8c, "ip": 0x555e_f608_32c3, "error_code": 7],
      keys: ["address": "address=", "error_code": "error_code="]),
    Body(
      "exceptions", "page_fault_kernel", "address=0x55cb31044240 ip=rep_stos_alternative error_code=0x2",
      ["address": 0x55cb_3104_4240, "error_code": 2], keys: ["address": "address=", "error_code": "error_code="]),
    Body(
      "kmem", "rss_stat", "mm_id=2497799619 curr=0 type=MM_ANONPAGES size=4096B",
      ["mm_id": 2_497_799_619, "curr": 0, "member": 1, "size": 4096],
      keys: ["mm_id": "mm_id=", "curr": "curr=", "size": "size="]),
    Body(
      "kmem", "rss_stat", "mm_id=1 curr=1 member=2 size=81920", ["mm_id": 1, "curr": 1, "member": 2, "size": 81920],
      keys: ["mm_id": "mm_id=", "member": "member="]),
    Body(
      "tlb", "tlb_flush", "pages:1 reason:local MM shootdown (3)", ["pages": 1, "reason": 3],
      keys: ["pages": "pages:"]),
    Body(
      "migrate", "set_migration_pte", "addr=7f68aa000, pte=1234abcd order=0",
      ["addr": 0x7_f68a_a000, "pte": 0x1234_abcd, "order": 0], keys: ["addr": "addr=", "pte": "pte="]),
    Body(
      "mmap_lock", "mmap_lock_acquire_returned", "mm=0000000079260000 memcg_path=/a write=true success=true",
      ["mm": 0x7926_0000, "write": 1, "success": 1], keys: ["mm": "mm=", "write": "write=", "success": "success="]),
    Body(
      "pagemap", "mm_lru_insertion", "folio=0x1 pfn=0x1bac38 lru=0 flags=Ma bd ", ["pfn": 0x1bac38],
      keys: ["pfn": "pfn="]),
    Body(
      "syscalls", "sys_enter_madvise", "start: 0x7f687fc0c000, len_in: 0x2000, behavior: 0x00000004",
      ["start": 0x7f68_7fc0_c000, "len_in": 0x2000, "behavior": 4],
      keys: ["start": "start:", "len_in": "len_in:", "behavior": "behavior:"]),
    Body("syscalls", "sys_exit_madvise", "0xfffffffffffffff4", ["ret": 0xffff_ffff_ffff_fff4], keys: [:]),
    // What arm64 and riscv call the fields.
    Body(
      refused: "exceptions", "page_fault_user", "addr=0xffffe153cc00 esr=0x9200004f", .missing(field: "address")),
    // A pointer that is not printed.
    Body(refused: "mmap", "exit_mmap", "mt_mod (____ptrval____), DESTROY", .badValue(field: "mt")),
    Body(
      ignored: "sched", "sched_switch", "prev_comm=sh prev_pid=1 prev_state=S ==> next_comm=mm_page_free: next_pid=2"),
    Body(ignored: "irq", "irq_handler_entry", "irq=16 name=ehci_hcd:usb1"),
    Body(ignored: "kmem", "mm_page_alloc_zone_locked", "page=0x1 pfn=0x1 order=0 migratetype=1"),
  ]

  // — changes

  /// What is done to a line that is well-formed, and what comes of it.
  enum Change: CaseIterable {
    case none, blanksInFront, blanksBehind, unknownField, carriageReturn
    /// Of a field that it needs.
    case fieldRenamed, valueSpoilt
    /// Task, CPU and time are gone.
    case headless
  }

  static func line(
    head: Head, task: String, pid: Int, cpu: Int, time: UInt64, body: Body, change: Change, field: Int
  ) -> Line {
    let name = head.namesSystem ? "\(body.system):\(body.name)" : body.name
    var fate: Fate
    if body.isIgnored {
      fate = .ignored(.event(body.name))
    } else if let refusal = body.refusal {
      fate = .refused(.init(event: body.name, reason: refusal))
    } else {
      fate = .read(
        Expected(
          name: body.name, pid: Int64(pid), cpu: UInt16(cpu), time: nanoseconds(time, head.time),
          values: body.values ?? [:]))
    }
    let words =
      switch head.time {
      case .microseconds, .count: "\(time)"
      case .seconds: "\(time / 1_000_000)." + String("\(1_000_000 + time % 1_000_000)".dropFirst())
      case .nanoseconds: "\(time / 1_000_000)." + String("\(1_000_000 + time % 1_000_000)".dropFirst()) + "007"
      }
    var (front, rest, end) = (head.text(task, pid, cpu, words), body.text, head.end)
    let keys = body.keys.sorted { $0.key < $1.key }
    switch change {
    case .none: break
    case .blanksInFront: front = "     " + front
    case .blanksBehind: end += "   "
    case .unknownField where !body.keys.isEmpty && body.name != "tlb_flush": rest += " unheard_of=0x7"
    case .carriageReturn: end += "\r"
    case .fieldRenamed where !keys.isEmpty:
      let (missing, key) = keys[field % keys.count]
      // The other fields that end in the same word stay.
      rest = replaced(rest, key, by: "not_" + key)
      fate = .refused(.init(event: body.name, reason: .missing(field: missing)))
    case .valueSpoilt where !keys.isEmpty:
      let (bad, key) = keys[field % keys.count]
      rest = replaced(rest, key, by: key + "?")
      fate = .refused(.init(event: body.name, reason: .badValue(field: bad)))
    case .headless:
      (front, end) = ("<6> ", "")
      fate = body.isIgnored ? .ignored(.unrecognised) : .refused(.init(event: body.name, reason: .noHead))
      // The next task of a switch is called like an event that matters.
      if rest.contains("mm_page_free:") { fate = .refused(.init(event: "mm_page_free", reason: .noHead)) }
    case .unknownField, .fieldRenamed, .valueSpoilt: break
    }
    return Line(text: front + name + ": " + rest + end, fate: fate)
  }

  private static func nanoseconds(_ time: UInt64, _ unit: Head.Time) -> UInt64 {
    switch unit {
    case .seconds, .microseconds: time * 1000
    case .nanoseconds: time * 1000 + 7
    case .count: time
    }
  }

  /// Where the key is a word of its own.
  private static func replaced(_ text: String, _ key: String, by other: String) -> String {
    (" " + text).replacing(" " + key, with: " " + other, maxReplacements: 1).dropFirst().description
  }
}
