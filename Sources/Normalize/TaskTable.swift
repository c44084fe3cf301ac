// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What one thread is doing, as far as the trace has shown.
struct TaskState {
  var mm: MMID?
  var fault: PendingFault?
  var call: SyscallWindow?
  var fork: ForkWindow?
  var exec: ExecWindow?
  /// The mm whose mmap lock this task took last for writing: the owner of the VMA tree it writes.
  var lockedForWrite: UInt64?
  var strayFolio: StrayFolio?
  /// The mm that this task tears down as its last user, and the anonymous pages it had left at the last flush told.
  var dying: (mm: MMID, flushedAt: UInt64?)?
  /// Pages that `mmap` filled without a fault, to be told when the range is known.
  var populated: [MMEventRecord] = []
  /// The collector announced a snapshot of this process and is about to touch its mm.
  var snapshot: (index: UInt32, process: TaskID)?
}

/// All threads by id. A thread id names another thread after `task_newtask`.
struct TaskTable {
  /// `PID_MAX_LIMIT` on 64-bit kernels.
  static let limit = 4 * 1024 * 1024

  private var slots: [Int32] = []
  private var states: [TaskState] = []

  /// The thread's state; a fresh one for a thread never seen. Idle (0) and impossible ids share slot 0's rules: `nil`.
  mutating func slot(of task: TaskID) -> Int? {
    let id = Int(task.rawValue)
    guard id > 0, id < Self.limit else { return nil }
    if id >= slots.count { slots.append(contentsOf: repeatElement(-1, count: max(id + 1 - slots.count, 1024))) }
    if slots[id] < 0 {
      slots[id] = Int32(states.count)
      states.append(TaskState())
    }
    return Int(slots[id])
  }

  subscript(slot: Int) -> TaskState {
    @inline(__always) get { states[slot] }
    @inline(__always) _modify { yield &states[slot] }
  }

  /// Every thread's slot.
  var all: Range<Int> { 0..<states.count }
}
