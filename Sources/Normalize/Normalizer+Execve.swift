// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// `execve`: a new mm that the task fills with arguments while it runs on the old one, then the switch.
extension Normalizer {
  /// A write lock inside `execve`: the new mm (`bprm_mm_init`), then again when the task already runs on it
  /// (`setup_arg_pages`).
  mutating func lockedInExec(_ slot: Int, pointer: UInt64) {
    if let exec = tasks[slot].exec {
      if exec.pointer == pointer, !exec.switched { switchToNewProgram(slot) }
      return
    }
    let mm = ownership.create(pointer: pointer, origin: .exec)
    tasks[slot].exec = ExecWindow(mm: mm, pointer: pointer)
    emit(mm, .mmCreated(.exec))
  }

  /// `exec_mmap`: the task leaves its mm for the new one.
  mutating func switchToNewProgram(_ slot: Int) {
    guard let exec = tasks[slot].exec, !exec.switched else { return }
    tasks[slot].exec?.switched = true
    if let old = tasks[slot].mm { direct.copied(from: old, to: exec.mm) }
    if let old = tasks[slot].mm, ownership.removeUser(old) { beginTeardown(slot, old) }
    tasks[slot].mm = exec.mm
    ownership.addUser(exec.mm)
  }

  /// `de_thread`: `execve` by a thread that is not the leader kills the others and goes on under the leader's id. It
  /// shows when that id, which has exited, does what only the thread with the `execve` can do.
  mutating func takeLeadersID(_ slot: Int, from isThread: (borrowing TaskState) -> Bool) {
    guard let thread = tasks.all.first(where: { $0 != slot && isThread(tasks[$0]) }) else { return }
    closeFault(thread)
    tasks.move(thread, to: slot)
    tasks[thread].hasExited = true
  }

  mutating func processExec(_ slot: Int) -> Bool {
    switchToNewProgram(slot)
    placeStack(slot)
    tasks[slot].exec = nil
    // `exec_mmap` dropped the old mm before; if somebody else holds it, it is torn down there.
    tasks[slot].dying = nil
    return true
  }

  private mutating func placeStack(_ slot: Int) {
    guard let exec = tasks[slot].exec, let stack = exec.stack, !exec.stackPlaced else { return }
    tasks[slot].exec?.stackPlaced = true
    emit(exec.mm, .stackPlaced(end: stack.end))
  }

  /// The first VMA of a new mm is its stack; `shift_arg_pages` moves it and cuts the old end off.
  mutating func stackWrite(_ slot: Int, _ range: PageRange, value: UInt64) {
    guard let stack = tasks[slot].exec?.stack else {
      if value >= kernelHalf { tasks[slot].exec?.stack = (value, range.end) }
      return
    }
    if value == stack.vma {
      tasks[slot].exec?.stack?.end = range.end
    } else if value == 0, range.contains(stack.end.advanced(by: -1)) {
      tasks[slot].exec?.stack?.end = range.start
      placeStack(slot)
    }
  }
}
