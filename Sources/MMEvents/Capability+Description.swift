// SPDX-License-Identifier: GPL-2.0-only

extension Capability {
  /// The name of its limit, what it shows, and what does not follow without it: a row of the table.
  public var description: Description {
    switch self {
    case .pageFaults:
      Description(
        "no-page-faults", "page faults", needed: true,
        "exceptions:page_fault_* were not recorded, or the kernel has no such events, as on arm64. Which page was "
          + "touched, written, copied or reused is not in the trace. Address spaces, layout, forks with the number of "
          + "pages they shared, allocations and the types of migration entries are. Verdicts are possible ones, and "
          + "nothing of the model was checked against the kernel.")
    case .allocations:
      Description(
        "no-allocations", "page allocations", needed: true,
        "kmem:mm_page_alloc was not recorded. A copy cannot be told from a reuse, nor a first touch from a fault on "
          + "what was there.")
    case .frees:
      Description(
        "no-frees", "page frees", needed: true,
        "kmem:mm_page_free was not recorded. When a page ceased to be shared or went away does not show.")
    case .forks:
      Description(
        "no-forks", "forks", needed: true,
        "Neither task:task_newtask nor sched:sched_process_fork was recorded. Who shares pages with whom is not in the "
          + "trace.")
    case .exits:
      Description(
        "no-exits", "ends of address spaces", needed: true,
        "mmap:exit_mmap was not recorded. Address spaces that are gone are taken to share their pages still.")
    case .counters:
      Description(
        "no-counters", "rss_stat",
        "What a fault made of an entry, how many pages fork copied, and that pages went to "
          + "swap, does not show.")
    case .flushes:
      Description(
        "no-tlb-flushes", "TLB flushes", "When an entry was changed and nothing allocated does not show.")
    case .locks:
      Description(
        "no-mmap-locks", "mmap locks",
        "Which address space a task works on, when it is not its own, does not show, and "
          + "whether fork copied one or made a thread is told by the call alone.")
    case .layouts:
      Description(
        "no-vma-writes", "writes to the tree of VMAs",
        "Where fork copies which VMA, and changes of the layout other "
          + "than by the calls that are recorded, do not show.")
    case .calls:
      Description("no-calls", "system calls", "What was mapped, unmapped, protected and advised does not show.")
    case .insertions:
      Description(
        "no-lru-insertions", "LRU insertions",
        "A page in a CPU's batch has a reference more: why its sole owner copied "
          + "it does not show.")
    case .migrationEntries:
      Description(
        "no-migration-entries", "migration entries",
        "Migrations, and with them one of the kernel's own statements "
          + "about the flag, do not show.")
    case .collapses:
      Description("no-collapses", "collapses", "That small pages became a huge one does not show.")
    case .merges:
      Description("no-ksm-merges", "KSM merges", "That KSM gave a page to several does not show.")
    case .swapWrites:
      Description(
        "no-swap-writes", "writes to swap", "Which pages went to swap shows only when they come back or are freed.")
    case .programs:
      Description("no-execs", "execve", "That a task left its address space for a new one shows late or not at all.")
    case .signals:
      Description("no-signals", "signals", "That a fault ended in a signal does not show.")
    case .snapshots:
      Description(
        "no-snapshots", "snapshots",
        "What was mapped before the recording is unknown, and the flag itself "
          + "(/proc/kpageflags) was not read.")
    case .pins:
      Description(
        "no-pins", "FOLL_PIN",
        "Which pages a driver or a system call pins is in no tracepoint: what happens to a "
          + "pinned page, and faults that a pin asks for, cannot be judged.")
    case .stableWrites:
      Description(
        "no-stable-writes", "whether the swap device needs stable pages",
        "A page written to while its swap-out is under "
          + "way cannot be judged where anything was swapped out.")
    }
  }
}
