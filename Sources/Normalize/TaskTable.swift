// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What one thread is doing, as far as the trace has shown.
struct TaskState {
  var mm: MMID?
  /// The trace shows the task's faults and calls, not only its allocations and counters.
  var isFollowed = false
  /// The collector's own thread, whose faults are nobody's business.
  var isCollector = false
  var fault: PendingFault?
  var call: SyscallWindow?
  var fork: ForkWindow?
  var exec: ExecWindow?
  /// The mm whose mmap lock this task took last for writing: the owner of the VMA tree it writes.
  var lockedForWrite: UInt64?
  var strayFolio: StrayFolio?
  /// Another process's mm that this task locked for reading last, and the one the stray folio was allocated for: GUP
  /// on somebody else's memory.
  var lockedForeign: MMID?
  var strayOwner: MMID?
  /// Where the stray folio's event belongs, once its owner is certain.
  var strayPlace: DelayLine.Slot?
  /// khugepaged, or any task with `MADV_COLLAPSE`, between the isolation of small pages and its end.
  var isCollapsing = false
  /// The mm that this task tears down as its last user, and the anonymous pages it had left at the last flush told.
  var dying: (mm: MMID, flushedAt: UInt64?)?
  /// Pages that `mmap` filled without a fault, to be told when the range is known.
  var populated: [MMEventRecord] = []
  /// The collector announced a snapshot of this process and is about to touch its mm.
  var snapshot: (index: UInt32, process: TaskID)?
}

/// All threads by id. A thread id names another thread after `task_newtask`.
@safe
struct TaskTable: ~Copyable {
  /// `PID_MAX_LIMIT` on 64-bit kernels.
  static let limit = 4 * 1024 * 1024

  private var slots: [Int32] = []
  /// Not an array: a record touches its task's state a dozen times.
  private var states: UnsafeMutablePointer<TaskState>
  private var capacity: Int
  private var count = 0

  init() {
    capacity = 64
    unsafe states = .allocate(capacity: capacity)
  }

  deinit {
    unsafe states.deinitialize(count: count)
    unsafe states.deallocate()
  }

  /// The thread's state; a fresh one for a thread never seen. Idle (0) and impossible ids share slot 0's rules: `nil`.
  @inline(__always)
  mutating func slot(of task: TaskID) -> Int? {
    let id = Int(task.rawValue)
    if id < slots.count, id > 0, slots[id] >= 0 { return Int(slots[id]) }
    return add(id)
  }

  @inline(never)
  private mutating func add(_ id: Int) -> Int? {
    guard id > 0, id < Self.limit else { return nil }
    if id >= slots.count { slots.append(contentsOf: repeatElement(-1, count: max(id + 1 - slots.count, 1024))) }
    if count == capacity { grow() }
    unsafe (states + count).initialize(to: TaskState())
    slots[id] = Int32(count)
    count += 1
    return count - 1
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<TaskState>.allocate(capacity: capacity * 2)
    unsafe larger.moveInitialize(from: states, count: count)
    unsafe states.deallocate()
    unsafe states = larger
    capacity *= 2
  }

  subscript(slot: Int) -> TaskState {
    @inline(__always) unsafeAddress {
      precondition(slot >= 0 && slot < count, "no such task")
      return unsafe UnsafePointer(states + slot)
    }
    @inline(__always) unsafeMutableAddress {
      precondition(slot >= 0 && slot < count, "no such task")
      return unsafe states + slot
    }
  }

  /// Every thread's slot.
  var all: Range<Int> { 0..<count }
}
