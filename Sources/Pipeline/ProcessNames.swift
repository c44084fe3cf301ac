// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import TraceFile

/// What tasks were called, and from which record on.
struct ProcessNames: Sendable {
  private struct Source: Sendable {
    let task: FieldLayout
    let name: FieldLayout
    /// The name is that of the file that runs.
    let isPath: Bool
  }

  private var sources: [UInt16: Source] = [:]
  /// By the id of the event: most records tell no name.
  private var tellsName: [Bool] = []
  private var names: [TaskID: [(since: Sequence, name: String)]] = [:]

  init() {}

  init(_ formats: EventFormats) throws(TraceFileError) {
    for (system, event, task, name) in [
      ("task", "task_newtask", "pid", "comm"), ("sched", "sched_process_fork", "child_pid", "child_comm"),
      ("sched", "sched_process_exec", "pid", "filename"), ("task", "task_rename", "pid", "newcomm"),
    ] {
      guard let format = try formats.format(named: event, system: system), let task = format.field(task),
        let name = format.field(name)
      else { continue }
      tellsName.append(contentsOf: repeatElement(false, count: max(0, Int(format.id) + 1 - tellsName.count)))
      tellsName[Int(format.id)] = true
      sources[format.id] = Source(task: task, name: name, isPath: event == "sched_process_exec")
    }
  }

  mutating func note(_ batch: borrowing RecordBatch) {
    for index in 0..<batch.count {
      let record = batch[index]
      let id = record.eventID
      guard id < tellsName.count, tellsName[Int(id)], let source = sources[id],
        let task = source.task.loadInt64(from: record), var name = source.name.loadString(from: record)
      else { continue }
      // As `begin_new_exec` calls it: the last part of the path, in 15 bytes.
      if source.isPath { name = String(name.split(separator: "/").last ?? "") }
      let short = String(decoding: name.utf8.prefix(15), as: UTF8.self)
      let since = Sequence(batch.firstSequence &+ UInt64(index))
      let pid = TaskID(Int32(truncatingIfNeeded: task))
      if !short.isEmpty, names[pid]?.last?.name != short { names[pid, default: []].append((since, short)) }
    }
  }

  /// At that time; `nil` where nothing was told by then.
  func name(of task: TaskID, at sequence: Sequence) -> String? {
    names[task]?.last { $0.since <= sequence }?.name
  }
}
