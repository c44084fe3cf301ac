// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import TraceFile

/// What the collector wrote into the trace: which thread is its own, where a snapshot begins and ends, and which threads
/// a process has.
extension Normalizer {
  /// `cowscope snapshot begin|end INDEX PID`, written by the collector around its reading of `/proc/PID/pagemap`, and
  /// `cowscope threads PID TID...` before the first of a process.
  mutating func marker(_ slot: Int, _ record: RawRecord) -> Bool {
    guard let text = table.layouts.marker.text(record) else { return false }
    let words = text.split(whereSeparator: { $0 == " " || $0 == "\n" })
    guard words.first == "cowscope", words.count > 1 else { return true }
    if words[1] == "collector" {
      // Older recordings say it of the thread that writes, at its first snapshot.
      let named = words.count > 2 ? Int32(words[2]).flatMap { tasks.slot(of: TaskID($0)) } : slot
      if let named { tasks[named].isCollector = true }
      return true
    }
    guard words.count > 2 else { return true }
    if words[1] == "threads" { return threads(words.dropFirst(2).compactMap { Int32($0) }) }
    guard words.count == 5, words[1] == "snapshot", let index = UInt32(words[3]),
      let pid = Int32(words[4])
    else { return true }
    let process = TaskID(pid)
    switch words[2] {
    case "begin":
      // Reading pagemap takes the target's mmap lock: that record names the mm of a process never seen before.
      if let mm = tasks.slot(of: process).flatMap({ tasks[$0].mm }) {
        snapshotBegan(index, mm)
      } else {
        tasks[slot].snapshot = (index, process)
      }
    case "end":
      tasks[slot].snapshot = nil
      let mm = tasks.slot(of: process).flatMap { tasks[$0].mm }
      if let mm { tellUnderWay(mm) }
      emit(mm, .snapshotEnded(index))
    default: break
    }
    return true
  }

  /// The first id is the process's. Threads whose mm is known by then keep it.
  private mutating func threads(_ ids: [Int32]) -> Bool {
    guard let process = ids.first else { return false }
    attachedThreads[TaskID(process)] = (attachedThreads[TaskID(process)] ?? []) + ids.dropFirst().map { TaskID($0) }
    return true
  }

  mutating func beginSnapshot(_ index: UInt32, of process: TaskID, pointer: UInt64) {
    let mm = ownership.id(pointer: pointer) ?? attach(pointer: pointer)
    for thread in [process] + (attachedThreads.removeValue(forKey: process) ?? []) {
      guard let target = tasks.slot(of: thread), tasks[target].mm == nil, !tasks[target].hasExited else { continue }
      tasks[target].mm = mm
      ownership.addUser(mm)
    }
    snapshotBegan(index, mm)
  }

  private mutating func snapshotBegan(_ index: UInt32, _ mm: MMID) {
    emit(mm, .snapshotBegan(index))
    tellUnderWay(mm)
  }
}
