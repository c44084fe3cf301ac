// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What one thread is doing, as far as the trace has shown.
///
/// Noncopyable because of its size: it is looked at where it lies, several times per record.
struct TaskState: ~Copyable {
  var mm: MMID? { didSet { counters = .none } }
  /// Where the counters of its mm were last time.
  var counters = MMOwnership.CounterPlace.none
  /// Which of the windows below are open.
  private(set) var windows = Windows()
  /// The trace shows the task's faults and calls, not only its allocations and counters.
  var isFollowed = false
  /// `sched_process_exit` was seen. Since 6.16 the task runs on its mm a little longer, but is none of its users any
  /// more. What follows is that, the end of the mm, and what any task does in passing; unless the id lives on
  /// (`takeLeadersID`).
  var hasExited = false
  /// The collector's own thread, whose faults are nobody's business.
  var isCollector = false
  var strayFolio: StrayFolio?
  /// GUP pins for the task.
  var pin: PinWindow?
  var call: SyscallWindow?
  var fault = PendingFault.none
  /// Whose memory the open fault is on, when it is GUP's, for this task in another's.
  var remote: MMID?
  /// Whose memory the open fault is on.
  var faulting: MMID? { remote ?? mm }
  var fork: ForkWindow? { didSet { windows[.fork] = fork != nil } }
  var exec: ExecWindow? { didSet { windows[.exec] = exec != nil } }
  /// The mm whose mmap lock this task holds for writing, as far as its calls and faults tell: the owner of the VMA tree
  /// it writes.
  var lockedForWrite: UInt64?
  /// Another process's mm that this task locked for reading last, and the one the stray folio was allocated for: GUP
  /// on somebody else's memory.
  var lockedForeign: MMID? { didSet { windows[.lockedForeign] = lockedForeign != nil } }
  var strayOwner: MMID? { didSet { windows[.strayOwner] = strayOwner != nil } }
  /// Where the stray folio's event belongs, once its owner is certain.
  var strayPlace: DelayLine.Slot?
  var replacement: Replacement? { didSet { windows[.replacement] = replacement != nil } }
  /// khugepaged, or any task with `MADV_COLLAPSE`, between the isolation of small pages and its end.
  var isCollapsing = false
  /// The mm that this task tears down as its last user, and the anonymous pages it had left at the last flush told.
  var dying: (mm: MMID, flushedAt: UInt64?)? { didSet { windows[.dying] = dying != nil } }
  /// Pages that `mmap` filled without a fault, to be told when the range is known.
  var populated: [MMEventRecord] = []
  /// The collector announced a snapshot of this process and is about to touch its mm.
  var snapshot: (index: UInt32, process: TaskID)?
}

extension TaskState {
  /// Windows that are not `nil`, in one word: nearly all records come while the task has none open.
  struct Windows: OptionSet {
    let rawValue: UInt8

    static var fork: Windows { Windows(rawValue: 1) }
    static var exec: Windows { Windows(rawValue: 2) }
    static var dying: Windows { Windows(rawValue: 4) }
    static var lockedForeign: Windows { Windows(rawValue: 8) }
    static var strayOwner: Windows { Windows(rawValue: 16) }
    static var replacement: Windows { Windows(rawValue: 32) }

    fileprivate subscript(window: Windows) -> Bool {
      get { contains(window) }
      set { self = newValue ? union(window) : subtracting(window) }
    }
  }

  /// The thread is gone, and nothing that it did last is still to be told.
  var isOver: Bool {
    hasExited && windows.subtracting(.lockedForeign).isEmpty && call == nil && !fault.isOpen && strayPlace == nil
      && populated.isEmpty
  }

  /// What a counter that moves now may mean depends on what the task is in the middle of.
  @inline(__always)
  var explainsCounters: Bool { fault.isOpen || !windows.isDisjoint(with: [.fork, .exec, .dying, .replacement]) }

  /// What a folio that is allocated now is for depends on what the task is in the middle of.
  @inline(__always)
  var explainsFolios: Bool {
    fault.isOpen || !windows.isDisjoint(with: [.fork, .lockedForeign, .strayOwner, .replacement])
  }
}

/// All threads by id. A thread id names another thread after `task_newtask`.
@safe
struct TaskTable: ~Copyable {
  /// `PID_MAX_LIMIT` on 64-bit kernels.
  static let idLimit = 4 * 1024 * 1024

  /// By thread id; -1 for one that was not seen yet.
  private var slots = FlatArray<Int32>()
  private var states = FlatArray<TaskState>(minimumCapacity: 64)
  /// Whose the states are; -1 for a fresh one that is nobody's.
  private var owners = FlatArray<Int32>()
  /// The slots of those.
  private var vacant = FlatArray<Int32>()
  /// How many states are worth looking for those of threads that are gone.
  private var limit = 1024

  /// The thread's state; a fresh one for a thread never seen. Idle (0) and impossible ids have none.
  @inline(__always)
  mutating func slot(of task: TaskID) -> Int? {
    let id = Int(task.rawValue)
    if UInt(bitPattern: id) < UInt(bitPattern: slots.count) {
      let slot = slots[id]
      if slot >= 0 { return Int(slot) }
    }
    return add(id)
  }

  @inline(never)
  private mutating func add(_ id: Int) -> Int? {
    guard id > 0, id < Self.idLimit else { return nil }
    if id >= slots.count { slots.append(repeating: -1, count: max(id + 1 - slots.count, 1024)) }
    let slot = vacant.popLast() ?? newSlot()
    slots[id] = slot
    owners[Int(slot)] = Int32(id)
    return Int(slot)
  }

  private mutating func newSlot() -> Int32 {
    states.append(TaskState())
    owners.append(-1)
    return Int32(states.count - 1)
  }

  /// Takes the slots of threads that are gone back, once there are twice as many states as were needed last time. No
  /// slot asked for before is valid after it.
  mutating func reclaim() {
    guard states.count - vacant.count >= limit else { return }
    for slot in states.indices where owners[slot] >= 0 && states[slot].isOver {
      states[slot] = TaskState()
      vacant.append(Int32(slot))
      slots[Int(owners[slot])] = -1
      owners[slot] = -1
    }
    limit = max(1024, 2 * (states.count - vacant.count))
  }

  /// The state goes to another slot; a fresh one stays behind.
  mutating func move(_ slot: Int, to other: Int) { states[other] = exchange(&states[slot], with: TaskState()) }

  subscript(slot: Int) -> TaskState {
    @inline(__always) unsafeAddress { unsafe UnsafePointer(states.place(of: slot)) }
    @inline(__always) unsafeMutableAddress { unsafe states.place(of: slot) }
  }

  /// Every thread's slot, and some that are nobody's.
  var all: Range<Int> { states.indices }
}
