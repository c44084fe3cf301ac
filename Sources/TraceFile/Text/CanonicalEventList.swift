// SPDX-License-Identifier: GPL-2.0-only

extension CanonicalEvent {
  /// Every event that is understood in text.
  static let all: [CanonicalEvent] = memory + tasks + calls

  private static let hex = Field.Kind.unsigned(radix: 16)
  private static let decimal = Field.Kind.unsigned(radix: 10)

  /// A frame is hexadecimal behind `0x`, decimal without, as before 5.14.
  private static let memory: [CanonicalEvent] = [
    // In the kernel an address may print as a symbol; then `ip` is missing.
    CanonicalEvent(
      "exceptions", "page_fault_user", [Field("address", hex), Field("error_code", hex)], optional: [Field("ip", hex)]),
    CanonicalEvent(
      "exceptions", "page_fault_kernel", [Field("address", hex), Field("error_code", hex)], optional: [Field("ip", hex)]
    ),
    CanonicalEvent(
      "kmem", "mm_page_alloc", [Field("pfn", decimal), Field("order", decimal), Field("migratetype", .signed)],
      optional: [Field("gfp_flags", .flags(gfpFlags))]),
    CanonicalEvent("kmem", "mm_page_free", [Field("pfn", decimal), Field("order", decimal)]),
    CanonicalEvent("kmem", "mm_page_free_batched", [Field("pfn", decimal)]).asideOfTheModel,
    CanonicalEvent("pagemap", "mm_lru_insertion", [Field("pfn", decimal)]),
    CanonicalEvent(
      "kmem", "rss_stat",
      [
        Field("mm_id", decimal), Field("curr", decimal), Field("member", .symbol(rssMembers), keys: ["type"]),
        Field("size", .signed),
      ]),
    CanonicalEvent("tlb", "tlb_flush", [Field("pages", .signed), Field("reason", .symbol(flushReasons))]),
    CanonicalEvent("migrate", "set_migration_pte", [Field("addr", hex), Field("pte", hex), Field("order", .signed)]),
    CanonicalEvent(
      "migrate", "remove_migration_pte", [Field("addr", hex), Field("pte", hex), Field("order", .signed)]),
    CanonicalEvent("thp", "set_migration_pmd", [Field("addr", hex), Field("pmd", hex)]),
    CanonicalEvent("thp", "remove_migration_pmd", [Field("addr", hex), Field("pmd", hex)]),
    CanonicalEvent(
      "huge_memory", "mm_collapse_huge_page",
      [Field("mm", hex), Field("isolated", .signed), Field("status", .symbol(collapseResults))],
      optional: [Field("order", decimal)]),
    CanonicalEvent(
      "huge_memory", "mm_collapse_huge_page_isolate",
      [
        Field("pfn", decimal, keys: ["scan_pfn"]), Field("none_or_zero", .signed), Field("referenced", .signed),
        Field("status", .symbol(collapseResults)),
      ]),
    CanonicalEvent(
      "huge_memory", "mm_khugepaged_scan_pmd",
      [
        Field("mm", hex), Field("pfn", decimal, keys: ["scan_pfn"]), Field("referenced", .signed),
        Field("none_or_zero", .signed), Field("unmapped", .signed),
      ], optional: [Field("status", .symbol(collapseResults))]),
    CanonicalEvent(
      "ksm", "ksm_merge_one_page", [Field("pfn", decimal), Field("err", .signed, keys: ["error"])],
      optional: [Field("mm", hex), Field("rmap_item", hex)]),
    CanonicalEvent(
      "ksm", "ksm_merge_with_ksm_page", [Field("pfn", decimal), Field("err", .signed, keys: ["error"])],
      optional: [Field("mm", hex), Field("rmap_item", hex)]),
    // The print format shows the tree, `-R` the mm too.
    CanonicalEvent("mmap", "exit_mmap", [Field("mt", hex, keys: ["mt_mod"])], optional: [Field("mm", hex)]),
    CanonicalEvent(
      "mmap_lock", "mmap_lock_acquire_returned",
      [Field("mm", hex), Field("write", .boolean), Field("success", .boolean)]),
    CanonicalEvent("vmscan", "mm_vmscan_write_folio", [Field("pfn", decimal)]),
    maWrite,
  ]

  /// Its print format has values without names: `TextTrace` rewrites it first.
  static let maWrite = CanonicalEvent(
    "maple_tree", "ma_write",
    [
      Field("min", decimal), Field("max", decimal), Field("index", decimal), Field("last", decimal),
      Field("piv", decimal), Field("val", hex), Field("node", hex), Field("fn", .text(until: [" ", "\t"])),
    ])

  private static let tasks: [CanonicalEvent] = [
    CanonicalEvent(
      "sched", "sched_process_fork",
      [
        Field("parent_comm", .taskName, keys: ["comm"]), Field("parent_pid", .signed, keys: ["pid"]),
        Field("child_comm", .taskName), Field("child_pid", .signed),
      ]),
    CanonicalEvent(
      "sched", "sched_process_exit", [Field("comm", .taskName), Field("pid", .signed), Field("prio", .signed)],
      optional: [Field("group_dead", .boolean)]),
    CanonicalEvent(
      "sched", "sched_process_exec",
      [Field("pid", .signed), Field("old_pid", .signed), Field("filename", .text(until: [" pid="]))]),
    CanonicalEvent(
      "task", "task_newtask",
      [Field("pid", .signed), Field("comm", .taskName), Field("clone_flags", hex), Field("oom_score_adj", .signed)]),
    CanonicalEvent(
      "task", "task_rename", [Field("pid", .signed), Field("oldcomm", .taskName), Field("newcomm", .taskName)]
    ).asideOfTheModel,
    CanonicalEvent(
      "signal", "signal_deliver",
      [
        Field("sig", .signed), Field("errno", .signed), Field("code", .signed), Field("sa_handler", hex),
        Field("sa_flags", hex),
      ]),
    CanonicalEvent("oom", "mark_victim", [Field("pid", .signed)]).asideOfTheModel,
    CanonicalEvent("ftrace", "print", [Field("buf", .text(until: []))]),
  ]

  private static let calls: [CanonicalEvent] = SystemCall.all.flatMap { call in
    let events = [
      CanonicalEvent("syscalls", "sys_enter_\(call.name)", call.arguments.map { Field($0, hex) }),
      CanonicalEvent("syscalls", "sys_exit_\(call.name)", [Field("ret", hex)]),
    ]
    return call.matters ? events : events.map(\.asideOfTheModel)
  }
}
