// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing
import TraceFile

/// Every head with every name of a task and every event, each line changed in a way that is drawn by a seed: what is
/// read is what was written, what is not is told by name and line.
@Suite("Forms of ftrace text, combined")
struct TextCombinationTests {
  private struct Story {
    var lines: [TextCombinations.Line] = []
    /// Records that are told to be lost before each that is read.
    var lostBefore: [Int32] = []

    var text: String { lines.map { $0.text + "\n" }.joined() }
  }

  /// Times go up by a microsecond, CPUs and ids come and go.
  private func story(_ head: TextCombinations.Head, seed: UInt64) -> Story {
    var random = SplitMix(state: seed)
    var story = Story()
    var pending: [Int: Int32] = [:]
    for task in TextCombinations.tasks {
      for body in TextCombinations.bodies {
        let cpu = [0, 1, 7, 63, 128][Int(random.next() % 5)]
        if random.next() % 16 == 0 {
          let lost = Int32(random.next() % 1000)
          pending[cpu, default: 0] += lost
          story.lines.append(.init(text: "CPU:\(cpu) [LOST \(lost) EVENTS]", fate: .ignored(.lossNote)))
        }
        let changes = TextCombinations.Change.allCases
        let line = TextCombinations.line(
          head: head, task: task, pid: 1 + Int(random.next() % 4_000_000), cpu: cpu,
          time: 3_834_442_752 + UInt64(story.lines.count), body: body,
          change: changes[Int(random.next() % UInt64(changes.count))], field: Int(random.next() % 8))
        story.lines.append(line)
        if case .read = line.fate { story.lostBefore.append(pending.removeValue(forKey: cpu) ?? 0) }
      }
    }
    return story
  }

  @Test("Read, refused or ignored as the line itself says", arguments: TextCombinations.heads.indices)
  func combined(_ head: Int) throws {
    let story = story(TextCombinations.heads[head], seed: 0x7e47_0000 + UInt64(head))
    try check(story.lines, story.lostBefore)
  }

  @Test("Each alone is a file of its own", arguments: TextCombinations.heads.indices)
  func alone(_ head: Int) throws {
    for line in story(TextCombinations.heads[head], seed: 0xa104_0000 + UInt64(head)).lines.prefix(100) {
      try check([line], nil)
    }
  }

  private func check(_ lines: [TextCombinations.Line], _ lostBefore: [Int32]?) throws {
    var (expected, lineOf): ([TextCombinations.Expected], [Int]) = ([], [])
    var refused: [TextAccount.Refusal: TextAccount.Refusals] = [:]
    var ignored: [TextAccount.Ignored: UInt64] = [.heading: 1]
    for (index, line) in lines.enumerated() {
      switch line.fate {
      case .read(let one):
        expected.append(one)
        lineOf.append(index)
      case .refused(let refusal): refused[refusal, default: .init(firstLine: UInt64(index) + 2)].lines += 1
      case .ignored(let what): ignored[what, default: 0] += 1
      }
    }
    let text = "version = 7\n" + lines.map { $0.text + "\n" }.joined()
    let reader = try TraceFile.open(bytes: Array(text.utf8), name: "combined")
    let seen = try TextTraceTests.read(reader)
    let account = try #require(reader.lines)
    #expect(account.lines == UInt64(lines.count) + 1 && account.read == UInt64(expected.count))
    #expect(account.refused == refused)
    #expect(account.ignored == ignored)
    #expect(seen.count == expected.count)
    for (index, (one, wanted)) in zip(seen, expected).enumerated() {
      let isRight =
        one.name == wanted.name && one.pid == wanted.pid && one.time == wanted.time && one.values == wanted.values
      #expect(isRight, "\(lines[lineOf[index]].text): \(one), not \(wanted)")
      if !isRight { return }
    }
    if let lostBefore { #expect(seen.map(\.lostBefore) == lostBefore) }
    let total = account.read + account.refused.values.reduce(0) { $0 + $1.lines } + account.ignored.values.reduce(0, +)
    #expect(total == account.lines)
  }

  @Test("Calls by number, whoever made them", arguments: TextCombinations.heads.indices)
  func byNumber(_ head: Int) throws {
    let head = TextCombinations.heads[head]
    let events: [(String, [String: UInt64]?)] = [
      (
        "sys_enter: NR 28 (7f687fc0c000, 2000, 4, 0, 0, 0)",
        ["start": 0x7f68_7fc0_c000, "len_in": 0x2000, "behavior": 4]
      ),
      ("sys_exit: NR 28 = 0", ["ret": 0]),
      ("sys_exit: NR 9 = -12", ["ret": UInt64(bitPattern: -12)]),
      ("sys_enter: NR 39 (0, 0, 0, 0, 0, 0)", nil),
    ]
    var text = " sh-1 [000] d....  0.000001: tlb_flush: pages:1 reason:local MM shootdown (3)\n"
    for task in TextCombinations.tasks {
      for (event, _) in events {
        let front = head.text(task, 77, 3, [.microseconds, .count].contains(head.time) ? "5000000000" : "5.000000")
        text += front + (head.namesSystem ? "raw_syscalls:" : "") + event + head.end + "\n"
      }
    }
    let reader = try TraceFile.open(bytes: Array(text.utf8), name: "numbers")
    let seen = try TextTraceTests.read(reader).dropFirst()
    let wanted = events.compactMap(\.1)
    #expect(seen.count == TextCombinations.tasks.count * wanted.count)
    for (index, one) in seen.enumerated() { #expect(one.pid == 77 && one.values == wanted[index % wanted.count]) }
    #expect(reader.lines?.refused.isEmpty == true)
    #expect(reader.lines?.ignored == [.event("sys_enter"): UInt64(TextCombinations.tasks.count)])
  }
}
