// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Normalize

@Suite("The table of threads")
struct TaskTableTests {
  private func slot(of task: TaskID, in tasks: inout TaskTable) throws -> Int {
    let slot = tasks.slot(of: task)
    return try #require(slot)
  }

  @Test("A shell that starts programs for ever needs no more slots than live at a time")
  func bounded() throws {
    var tasks = TaskTable()
    let shell = try slot(of: TaskID(100), in: &tasks)
    tasks[shell].mm = MMID(7)
    var largest = 0
    for id in Int32(101)...20_000 {
      let slot = try slot(of: TaskID(id), in: &tasks)
      largest = max(largest, slot)
      #expect(tasks[slot].mm == nil)
      tasks[slot].mm = MMID(UInt32(id))
      tasks[slot].hasExited = true
      tasks.reclaim()
    }
    #expect(largest <= 1024)
    let again = try slot(of: TaskID(100), in: &tasks)
    #expect(tasks[again].mm == MMID(7))
  }

  @Test("A thread that is gone keeps its slot while it tears its mm down")
  func dying() throws {
    var tasks = TaskTable()
    for id in Int32(1)...2_000 {
      let slot = try slot(of: TaskID(id), in: &tasks)
      tasks[slot].hasExited = true
      if id % 500 == 0 { tasks[slot].dying = (MMID(UInt32(id)), nil) }
      tasks.reclaim()
    }
    for id in [Int32(500), 1_000, 1_500, 2_000] {
      let slot = try slot(of: TaskID(id), in: &tasks)
      #expect(tasks[slot].dying?.mm == MMID(UInt32(id)))
    }
    let gone = try slot(of: TaskID(501), in: &tasks)
    #expect(tasks[gone].hasExited == false)
  }
}
