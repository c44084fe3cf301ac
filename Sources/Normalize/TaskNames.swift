// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents
import TraceFile

/// What tasks were called, and from which record on.
package struct TaskNames: Sendable {
  private struct Source: Sendable {
    let task: FieldLayout
    let name: FieldLayout
    /// The name is that of the file that runs.
    let isPath: Bool
  }

  /// By the id of the event.
  private var sources: [UInt16: Source] = [:]
  private var names: [TaskID: [(since: Sequence, name: String)]] = [:]

  package init() {}

  init(_ formats: EventFormats) throws(NormalizeError) {
    for (event, task, name) in [
      (KnownEvent.newTask, "pid", "comm"), (.processFork, "child_pid", "child_comm"), (.processExec, "pid", "filename"),
      (.taskRename, "pid", "newcomm"),
    ] {
      guard let format = try Self.format(of: event, formats), let task = format.field(task),
        let name = format.field(name)
      else { continue }
      sources[format.id] = Source(task: task, name: name, isPath: event == .processExec)
    }
  }

  private static func format(
    of event: KnownEvent, _ formats: EventFormats
  ) throws(NormalizeError) -> EventFormat? {
    guard let (system, name) = event.tracepoint else { return nil }
    do { return try formats.format(named: name, system: system) } catch { throw NormalizeError(reason: "\(error)") }
  }

  /// A record of an event that may tell a name.
  mutating func note(_ record: RawRecord, at since: Sequence) {
    guard let source = sources[record.eventID], let task = source.task.loadInt64(from: record),
      var name = source.name.loadString(from: record)
    else { return }
    // As `begin_new_exec` calls it: the last part of the path, in 15 bytes.
    if source.isPath { name = String(name.split(separator: "/").last ?? "") }
    let short = String(decoding: name.utf8.prefix(15), as: UTF8.self)
    let pid = TaskID(Int32(truncatingIfNeeded: task))
    if !short.isEmpty, names[pid]?.last?.name != short { names[pid, default: []].append((since, short)) }
  }

  /// At that time; `nil` where nothing was told by then.
  package func name(of task: TaskID, at sequence: Sequence) -> String? {
    names[task]?.last { $0.since <= sequence }?.name
  }
}
