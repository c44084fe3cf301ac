// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

/// `execve` by a thread that is not the leader: `de_thread` kills the leader (100), and the thread (101) goes on under
/// its id. The lines are those of a 6.18 kernel, less what does not matter here.
@Suite("Threads that exit, and execve by one")
struct ExitingThreadTests {
  private static let old = "ffff8884c2861900"
  private static let new = "ffff88814de712c0"

  private static let beginning: [TracedLine] = [
    (100, "page_fault_user: address=0x7f0000000000 ip=0x1000 error_code=0x6"),
    (100, "mmap_lock_acquire_returned: mm=0x\(old) memcg_path= write=false success=true"),
    (100, "rss_stat: mm_id=77 curr=1 type=MM_ANONPAGES size=40960B"),
    (100, "task_newtask: pid=101 comm=te clone_flags=3d0f00 oom_score_adj=0"),
    (101, "sys_execve(filename: 1000, argv: 2000, envp: 3000)"),
    (101, "mmap_lock_acquire_returned: mm=0x\(new) memcg_path= write=true success=true"),
    (
      101,
      "ma_write: fn=0x1 min=0x0 max=0xffffffffffffffff index=0x7fffffffe000 last=0x7fffffffefff piv=0x0 "
        + "val=0xffff88811498c000 node=0x0"
    ),
    (101, "rss_stat: mm_id=88 curr=0 type=MM_ANONPAGES size=4096B"),
    (100, "signal_deliver: sig=9 errno=0 code=0 sa_handler=0 sa_flags=0"),
    (100, "sched_process_exit: comm=te pid=100 prio=120 group_dead=false"),
    (100, "mmap_lock_acquire_returned: mm=0x\(old) memcg_path= write=false success=true"),
    (100, "rss_stat: mm_id=77 curr=1 type=MM_ANONPAGES size=40960B"),
  ]

  /// From here on 100 is what 101 was.
  private static let switched: [TracedLine] = [
    (100, "mmap_lock_acquire_returned: mm=0x\(new) memcg_path= write=true success=true"),
    (
      100,
      "ma_write: fn=0x1 min=0x0 max=0xffffffffffffffff index=0x7ffc60fce000 last=0x7ffc60fcefff piv=0x0 "
        + "val=0xffff88811498c000 node=0x0"
    ),
    (100, "sched_process_exec: filename=./te pid=100 old_pid=101"),
    (100, "sys_execve -> 0x0"),
    (100, "page_fault_user: address=0x7ffc60fce000 ip=0x1000 error_code=0x6"),
    (
      100,
      "mm_page_alloc: page=0000000000000000 pfn=0x10 order=0 migratetype=1 "
        + "gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_ZERO|__GFP_COMP"
    ),
    (100, "rss_stat: mm_id=88 curr=1 type=MM_ANONPAGES size=8192B"),
    (100, "sys_brk(brk: 0)"),
  ]

  /// The first mm of this origin.
  private func created(_ origin: MMOrigin, in events: [MMEventRecord]) throws -> MMID {
    try #require(events.first { if case .mmCreated(origin) = $0.event { true } else { false } }?.mm)
  }

  /// What follows the exit of thread 101, the leader living on.
  private func normalizedAfterExit(_ lines: [TracedLine]) throws -> [MMEventRecord] {
    let exit = (task: 101, line: "sched_process_exit: comm=te pid=101 prio=120 group_dead=false")
    return try normalized(Self.beginning.prefix(4) + [exit] + lines)
  }

  private func begunTeardowns(_ events: [MMEventRecord]) -> [MMID] {
    events.compactMap { if case .mmTeardownBegan = $0.event { $0.mm } else { nil } }
  }

  private func expectNewProgram(_ events: [MMEventRecord]) throws {
    let made = try created(.exec, in: events)
    let faulted = events.filter { if case .fault(_, _, .anonymous) = $0.event { true } else { false } }
    #expect(faulted.map(\.mm) == [made])
    #expect(events.contains { if case .stackPlaced = $0.event { $0.mm == made } else { false } })
    #expect(!begunTeardowns(events).contains(made))
  }

  @Test("The leader's id tears the old mm down and runs the new program")
  func tornDown() throws {
    let teardown: [TracedLine] = [
      (100, "rss_stat: mm_id=77 curr=0 type=MM_ANONPAGES size=4096B"),
      (100, "rss_stat: mm_id=77 curr=0 type=MM_ANONPAGES size=0B"),
    ]
    let events = try normalized(Self.beginning + teardown + Self.switched)
    try expectNewProgram(events)
    let old = try created(.attached, in: events)
    #expect(begunTeardowns(events) == [old])
    let proceeded = events.compactMap { record -> UInt64? in
      if case .mmTeardownProceeded(let remaining, _, flushed: false) = record.event { remaining } else { nil }
    }
    #expect(proceeded == [1, 0])
  }

  @Test("So it does when the old mm lives on in another process (vfork)")
  func kept() throws { try expectNewProgram(try normalized(Self.beginning + Self.switched)) }

  @Test("A thread that exits, and locks the mm that it leaves, is no user of it any more")
  func exits() throws {
    let events = try normalizedAfterExit(
      [
        (101, "mmap_lock_acquire_returned: mm=0x\(Self.old) memcg_path= write=false success=true"),
        (100, "sched_process_exit: comm=te pid=100 prio=120 group_dead=true"),
      ])
    let old = try created(.attached, in: events)
    #expect(begunTeardowns(events) == [old])
  }

  /// `exit_mm_release` clears the thread's id in its memory (`clear_child_tid`), which may be shared with a child.
  @Test("A thread that has exited may still copy a page of its mm")
  func copiesOnExit() throws {
    let events = try normalizedAfterExit(
      [
        (101, "page_fault_kernel: address=0x7f0000001990 ip=0x1000 error_code=0x3"),
        (101, "mmap_lock_acquire_returned: mm=0x\(Self.old) memcg_path= write=false success=true"),
        (
          101,
          "mm_page_alloc: page=0000000000000000 pfn=0x20 order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_COMP"
        ),
        (101, "tlb_flush: pages:1 reason:local MM shootdown (3)"),
        (101, "mmap_lock_acquire_returned: mm=0x\(Self.old) memcg_path= write=false success=true"),
      ])
    let old = try created(.attached, in: events)
    let copies = events.filter { if case .fault(_, _, .copied(PFN(0x20), _)) = $0.event { true } else { false } }
    #expect(copies.map(\.mm) == [old])
  }

  /// A task that was running before the recording and took no lock of its own until it executes another program.
  @Test("The exit_mmap of an mm whose address no event told is that of the teardown it is in")
  func namelessTeardown() throws {
    let exec: [TracedLine] = [
      (100, "page_fault_user: address=0x7f0000000000 ip=0x1000 error_code=0x6"),
      (100, "rss_stat: mm_id=77 curr=1 type=MM_ANONPAGES size=40960B"),
      (100, "sys_execve(filename: 1000, argv: 2000, envp: 3000)"),
      (100, "mmap_lock_acquire_returned: mm=0x\(Self.new) memcg_path= write=true success=true"),
      (100, "rss_stat: mm_id=88 curr=0 type=MM_ANONPAGES size=4096B"),
      (100, "rss_stat: mm_id=77 curr=0 type=MM_ANONPAGES size=0B"),
      (100, "exit_mmap: mt_mod=0000000000000000 mm=0x\(Self.old)"),
      (100, "sched_process_exec: filename=./te pid=100 old_pid=100"),
    ]
    // Past the exec, an exit_mmap in this task is of somebody else's mm.
    let events = try normalized(exec + [(100, "exit_mmap: mt_mod=0000000000000000 mm=0xffff8884c0000000")])
    let ended = events.filter { if case .mmExited = $0.event { true } else { false } }.map(\.mm)
    #expect(ended == [try created(.attached, in: events)])
  }
}
