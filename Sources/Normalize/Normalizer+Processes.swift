// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import TraceFile

/// `CLONE_VM`: the new task shares the mm.
private let cloneVM: UInt64 = 0x100

/// Addresses from here on are the kernel's: a VMA tree entry that is a pointer. Below are markers such as
/// `XA_ZERO_ENTRY`, left by a fork that failed.
let kernelHalf: UInt64 = 1 << 63

/// Whose mm is whose, from `clone` to `exit_mmap`: forks copied VMA by VMA (`dup_mmap`), new threads, teardowns, and
/// what mmap locks and writes to the tree of VMAs tell about the mm a task is at.
extension Normalizer {
  // — clone

  /// A write lock inside `clone`: the parent's mm first, then the child's (`dup_mmap`).
  mutating func lockedInClone(_ slot: Int, pointer: UInt64) {
    guard tasks[slot].fork == nil else { return }
    let parent = tasks[slot].mm ?? ownership.id(pointer: pointer) ?? attach(pointer: pointer)
    if tasks[slot].mm == nil {
      tasks[slot].mm = parent
      ownership.addUser(parent)
    }
    guard let known = ownership.pointer(of: parent) else {
      ownership.learn(pointer: pointer, of: parent)
      return
    }
    guard known != pointer else { return }
    let child = ownership.create(pointer: pointer, origin: .fork)
    tasks[slot].fork = ForkWindow(child: child)
    emit(child, .mmCreated(.fork))
    emit(parent, .forkBegan(child: child))
  }

  mutating func newTask(_ slot: Int, _ record: RawRecord) -> Bool {
    // No slot is in use after this record: the place to take some back, and the same one whatever the batches.
    defer { tasks.reclaim() }
    guard let pid = table.layouts.newTask.pid.loadSigned(record), let flags = table.layouts.newTask.flags.load(record)
    else { return false }
    made(slot, TaskID(Int32(truncatingIfNeeded: pid)), sharesMM: flags & cloneVM != 0)
    return true
  }

  /// The same where nobody recorded `task_newtask`. `sched_process_fork` has no flags: that a process was made shows in
  /// `dup_mmap`, or in the call.
  mutating func processForked(_ record: RawRecord) -> Bool {
    guard let pid = table.layouts.forkedChild.loadSigned(record) else { return false }
    // As in `newTask`.
    defer { tasks.reclaim() }
    guard let slot = tasks.slot(of: task) else { return true }
    closeFault(slot)
    let sharesMM: Bool
    if tasks[slot].mm == nil {
      sharesMM = true
    } else if tasks[slot].fork != nil {
      sharesMM = false
    } else if table.showsLocks {
      sharesMM = true
    } else {
      switch tasks[slot].call?.call {
      case .fork: sharesMM = false
      case .vfork: sharesMM = true
      case .clone: sharesMM = (tasks[slot].call?.arguments[0] ?? 0) & cloneVM != 0
      // The flags of clone3 lie in memory; without the call there are none at all.
      default:
        gaps.add(.forksOfUnknownKind)
        sharesMM = tasks[slot].call?.call == .clone3
      }
    }
    made(slot, TaskID(Int32(truncatingIfNeeded: pid)), sharesMM: sharesMM)
    return true
  }

  /// A thread, or a process with an mm of its own.
  private mutating func made(_ slot: Int, _ task: TaskID, sharesMM: Bool) {
    guard let child = tasks.slot(of: task) else { return }
    tasks[child] = TaskState()
    guard let parentMM = tasks[slot].mm else { return }
    if sharesMM {
      tasks[child].mm = parentMM
      ownership.addUser(parentMM)
      return
    }
    let mm: MMID
    if let fork = tasks[slot].fork {
      mm = fork.child
    } else {
      // Without the events inside `dup_mmap` the whole copy is told at its end.
      mm = ownership.create(pointer: nil, origin: .fork)
      emit(mm, .mmCreated(.fork))
      emit(parentMM, .forkBegan(child: mm))
      emit(parentMM, .forkCopied(child: mm, PageRange(start: VirtualPage(0), end: VirtualPage(.max >> pageShift))))
    }
    tasks[slot].fork = nil
    direct.copied(from: parentMM, to: mm)
    tasks[child].mm = mm
    ownership.addUser(mm)
    emit(parentMM, .forkEnded(child: mm))
  }

  /// `clone` came back without a child although the copy had begun.
  mutating func abortFork(_ slot: Int) {
    guard let fork = tasks[slot].fork else { return }
    tasks[slot].fork = nil
    emit(tasks[slot].mm, .forkAborted(child: fork.child))
  }

  mutating func processExit(_ slot: Int) -> Bool {
    endCall(slot)
    let mm = tasks[slot].mm
    tasks[slot] = TaskState()
    tasks[slot].mm = mm
    tasks[slot].hasExited = true
    if let mm, ownership.removeUser(mm) { beginTeardown(slot, mm) }
    return true
  }

  /// The task does what one that has exited cannot: it is another, whose beginning was lost.
  @inline(__always)
  mutating func forgetExited(_ slot: Int) { if tasks[slot].hasExited { tasks[slot] = TaskState() } }

  /// Counters of the task's own mm move while it does not run on it: `exec_mmap` is past, or `exit_mm`, and the mm is
  /// torn down. Before 6.16 the latter comes before `sched_process_exit`.
  mutating func leave(_ slot: Int, _ mm: MMID) {
    guard tasks[slot].exec == nil else {
      switchToNewProgram(slot)
      return
    }
    closeFault(slot)
    tasks[slot].mm = nil
    if ownership.removeAllUsers(mm) { beginTeardown(slot, mm) }
  }

  mutating func beginTeardown(_ slot: Int, _ mm: MMID) {
    emit(mm, .mmTeardownBegan)
    tasks[slot].dying = (mm, nil)
  }

  /// The task flushed or freed: if it is tearing down an mm, `tlb_flush_mmu` may have run. The flush of a lazy mm
  /// (`switch_mm_irqs_off`) looks like a task switch: it is taken for one until everything is unmapped.
  @inline(never)
  mutating func teardownShown(_ slot: Int, byTaskSwitch: Bool = false) {
    guard let dying = tasks[slot].dying else { return }
    guard let remaining = ownership.count(.anonymous, of: dying.mm).map({ UInt64(clamping: $0) }) else { return }
    if byTaskSwitch, remaining != 0 { return }
    if dying.flushedAt == remaining { return }
    tasks[slot].dying?.flushedAt = remaining
    emit(dying.mm, .mmTeardownProceeded(remaining: remaining, unmapped: 0, flushed: true))
  }

  mutating func exitMmap(_ record: RawRecord) -> Bool {
    let pointer = table.layouts.exitMM.load(record).flatMap { $0 == 0 ? nil : $0 }
    guard let mm = pointer.flatMap({ ownership.id(pointer: $0) }) ?? namelessTeardown(isNamed: pointer != nil) else {
      gaps.add(pointer == nil ? .exitsWithoutMM : .foreignExits)
      return true
    }
    if let slot = tasks.slot(of: task), tasks[slot].fork?.child == mm { abortFork(slot) }
    if let slot = tasks.slot(of: task), tasks[slot].dying?.mm == mm { tasks[slot].dying = nil }
    emit(mm, .mmExited)
    direct.forget(mm)
    ownership.end(mm)
    return true
  }

  /// The mm that the task is tearing down, when no event named its address: it never took its own lock while it was
  /// traced, as the recorder's child before its `execve`; or this one does not, as in text, which prints the tree only.
  private mutating func namelessTeardown(isNamed: Bool) -> MMID? {
    guard let slot = tasks.slot(of: task), let mm = tasks[slot].dying?.mm else { return nil }
    return isNamed && ownership.pointer(of: mm) != nil ? nil : mm
  }

  // — the VMA tree and the mmap lock

  mutating func lockReturned(_ slot: Int, _ record: RawRecord) -> Bool {
    guard let (pointer, write, success) = table.layouts.lock.load(record) else { return false }
    guard success != 0 else {
      if write == 0 { lockNotHad(slot, pointer: pointer) }
      return true
    }
    if tasks[slot].hasExited, let mm = ownership.id(pointer: pointer) {
      takeLeadersID(slot) { $0.exec?.mm == mm }
    }
    if write == 0, beginRemoteWrite(slot, pointer: pointer) { return true }
    foreignLock(slot, pointer: pointer)
    tasks[slot].lockedForWrite = write != 0 ? pointer : nil
    if write != 0 {
      switch tasks[slot].call?.call {
      case .clone, .clone3, .fork, .vfork: lockedInClone(slot, pointer: pointer)
      case .execve, .execveat: lockedInExec(slot, pointer: pointer)
      default: learnOwn(slot, pointer: pointer)
      }
    } else if let snapshot = tasks[slot].snapshot {
      tasks[slot].snapshot = nil
      beginSnapshot(snapshot.index, of: snapshot.process, pointer: pointer)
    } else if tasks[slot].fault.isOpen {
      lockedInFault(slot, pointer: pointer)
    }
    return true
  }

  /// The task takes a lock: if the last one was another mm's, a folio allocated under it and not given back went there
  /// (`process_vm_readv`, `/proc/PID/mem`, `ptrace`). No counter tells, since one page takes the place of another.
  private mutating func foreignLock(_ slot: Int, pointer: UInt64) {
    strayWent(slot)
    let mm = ownership.id(pointer: pointer)
    tasks[slot].lockedForeign = mm != nil && mm != tasks[slot].mm && tasks[slot].fork == nil ? mm : nil
    if let foreign = tasks[slot].lockedForeign { tellRemoteAccess(slot, foreign) }
  }

  @inline(__always)
  mutating func strayWent(_ slot: Int) { if tasks[slot].strayOwner != nil { strayIsGone(slot) } }

  @inline(never)
  private mutating func strayIsGone(_ slot: Int) {
    guard let mm = tasks[slot].strayOwner, let place = tasks[slot].strayPlace else { return }
    tasks[slot].strayOwner = nil
    tasks[slot].strayPlace = nil
    guard let folio = tasks[slot].strayFolio else {
      line.drop(place)
      return
    }
    tasks[slot].strayFolio = nil
    // When the place is gone, it was told when its time was up.
    _ = line.fill(place, with: record(mm, strayEvent(slot, mm, folio)))
  }

  /// A fault locks its own mm and few times; a task that takes more locks is elsewhere (walking `/proc/PID/smaps`).
  private mutating func lockedInFault(_ slot: Int, pointer: UInt64) {
    // `execve` reads its arguments from the old mm, and puts them into the new one.
    if let exec = tasks[slot].exec, !exec.switched, exec.pointer == pointer { return closeFault(slot) }
    guard let mm = tasks[slot].mm else { return }
    let known = ownership.pointer(of: mm)
    guard known == nil || known == pointer, !tasks[slot].fault.isOver, tasks[slot].fault.locked() else {
      closeFault(slot)
      return
    }
    learnOwn(slot, pointer: pointer)
    guard tasks[slot].fault.isOpen else { return }
    tasks[slot].fault.resume(mm, at: sequence, time, on: &line)
    tasks[slot].fault.propose(mm, on: &line)
  }

  /// A fault tries the lock and then waits for it, while a fork copies among others; few others try.
  private mutating func lockNotHad(_ slot: Int, pointer: UInt64) {
    guard tasks[slot].fault.isOpen, let mm = tasks[slot].mm, tasks[slot].remote == nil,
      ownership.pointer(of: mm) == pointer
    else { return }
    tasks[slot].fault.waits(on: &line)
  }

  /// The task locks its own mm: the address joins what is known of it.
  private mutating func learnOwn(_ slot: Int, pointer: UInt64) {
    // A task that has exited locks the mm that it leaves (`exit_mm`, `exit_mmap`).
    guard tasks[slot].exec == nil, tasks[slot].fork == nil, !tasks[slot].hasExited else { return }
    switch tasks[slot].call?.call {
    case .processMadvise, .processVMReadv, .processVMWritev, .ptrace, .write, .pwrite64, .movePages: return
    default: break
    }
    let known = ownership.id(pointer: pointer)
    guard let mm = tasks[slot].mm else {
      let mm = known ?? attach(pointer: pointer)
      tasks[slot].mm = mm
      ownership.addUser(mm)
      return
    }
    if known == nil, ownership.pointer(of: mm) == nil { ownership.learn(pointer: pointer, of: mm) }
  }

  mutating func treeWrite(_ slot: Int, _ record: RawRecord) -> Bool {
    guard let (first, last, value) = table.layouts.tree.load(record) else { return false }
    guard isOfVMAs(first: first, last: last, value: value), let pointer = tasks[slot].lockedForWrite,
      let mm = ownership.id(pointer: pointer)
    else {
      gaps.add(.foreignTreeWrites)
      return true
    }
    let range = PageRange(start: page(first), end: VirtualPage(page(last).rawValue + 1))
    if let fork = tasks[slot].fork {
      guard fork.child == mm, value >= kernelHalf, fork.lastCopied != range else { return true }
      tasks[slot].fork?.lastCopied = range
      // It goes on: the flush seen before was that of a huge page which had to be split (`copy_huge_pmd`).
      tasks[slot].fork?.copied = false
      emit(tasks[slot].mm, .forkCopied(child: mm, range))
    } else if tasks[slot].exec?.mm == mm {
      stackWrite(slot, range, value: value)
      emit(mm, value == 0 ? .unmapped(range) : .vmaMapped(range, .loader, .unknown))
    } else {
      layoutChanged(slot, mm, range, isMapped: value >= kernelHalf)
    }
    return true
  }

  /// `ma_write` is traced for every maple tree: `munmap` collects VMAs in one of its own, indexed from 0, and a
  /// directory of tmpfs keeps its offsets in one (`simple_offset_add`, since 6.6). A VMA begins and ends with a page,
  /// and below the kernel's half; what is free above the last one reaches to the end (`mas_wr_extend_null`).
  @inline(__always)
  private func isOfVMAs(first: UInt64, last: UInt64, value: UInt64) -> Bool {
    let inPage = (UInt64(1) << pageShift) - 1
    return first & inPage == 0 && last & inPage == inPage && first < kernelHalf && (value == 0 || last < kernelHalf)
  }
}
