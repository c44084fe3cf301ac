// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import MMEvents
import Replay
import Testing

@testable import Pipeline

@Suite("Names of processes")
struct ProcessNameTests {
  @Test("A shell runs two programs: what the trace says of clone and exec, and nothing of what was before")
  func shell() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../fixtures/tracefile/shell-report.txt")
    let processes = try Analysis(path: file.standardizedFileURL.path).replay().processes
    struct Seen: Hashable {
      var name: String?
      var task: Int32?
      var parent: String?
      var forks: UInt64
    }
    let names = Dictionary(uniqueKeysWithValues: processes.map { ($0.mm, $0.name) })
    let seen = processes.map { process in
      Seen(
        name: process.name, task: process.task?.rawValue, parent: process.parent.flatMap { names[$0] ?? nil },
        forks: process.forks)
    }
    #expect(
      Set(seen) == [
        Seen(name: nil, task: 22697, forks: 0), Seen(name: "sh", task: 22697, forks: 2),
        Seen(name: "sh", task: 22698, parent: "sh", forks: 0), Seen(name: "ls", task: 22698, forks: 0),
        Seen(name: "sh", task: 22699, parent: "sh", forks: 0), Seen(name: "wc", task: 22699, forks: 0),
      ])
    #expect(seen.count == 6)
  }
}
