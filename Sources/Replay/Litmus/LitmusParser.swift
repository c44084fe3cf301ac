// SPDX-License-Identifier: GPL-2.0-only

/// Reads `.litmus` text: any number of examples, each opened by an `example` line.
///
/// A word that is not understood is an error with its line and column; nothing is skipped.
package struct LitmusParser {
  let file: String
  /// Names that stand, or stood, for a process.
  var processes: Set<String> = []
  /// Of those, the names whose process is gone: they can be given to another one.
  var ended: Set<String> = []
  /// The child of a fork told in parts, by parent.
  var forking: [String: String] = [:]
  private var scenario: LitmusScenario?
  private var finished: [LitmusScenario] = []
  private var ids: Set<String> = []

  private init(file: String) { self.file = file }

  package static func parse(_ text: String, file: String) throws(LitmusError) -> [LitmusScenario] {
    var parser = LitmusParser(file: file)
    var number = 0
    for text in text.split(separator: "\n", omittingEmptySubsequences: false) {
      number += 1
      var line = try LitmusLine(file: file, number: number, text: text)
      if line.isEmpty { continue }
      try parser.parseLine(&line, text: text)
    }
    if parser.scenario == nil {
      throw LitmusError(file: file, line: max(number, 1), column: 1, reason: "the file holds no 'example'")
    }
    try parser.closeScenario()
    return parser.finished
  }

  private mutating func parseLine(_ line: inout LitmusLine, text: Substring) throws(LitmusError) {
    if line.takeWord(ifNext: "example") {
      try closeScenario()
      try openScenario(&line)
      return
    }
    guard var current = scenario else { throw line.error("an 'example' line has to come first") }
    if try parseHeader(&line, into: &current) {
      guard current.lines.isEmpty else {
        throw LitmusError(
          file: file, line: line.number, column: 1, reason: "has to stand before the first step of the example")
      }
      try line.finish()
      scenario = current
      return
    }
    let kernels = try parseCondition(&line)
    let body = try parseBody(&line)
    try line.finish()
    current.lines.append(
      LitmusStatement(line: line.number, kernels: kernels, text: statementText(text), body: body))
    scenario = current
  }

  /// The statement as written, without indentation and comment.
  private func statementText(_ text: Substring) -> String {
    let code = text.prefix { $0 != "#" }
    let trimmed = code.drop { $0 == " " || $0 == "\t" }
    guard let last = trimmed.lastIndex(where: { $0 != " " && $0 != "\t" && $0 != "\r" }) else { return "" }
    return String(trimmed[...last])
  }

  private mutating func openScenario(_ line: inout LitmusLine) throws(LitmusError) {
    let id = try line.takeWord("the id of the example")
    let title = try line.takeText("the title of the example")
    try line.finish()
    guard ids.insert(String(id.spelling)).inserted else {
      throw line.error(at: id, "there is an example '\(id.spelling)' in this file already")
    }
    processes = []
    ended = []
    forking = [:]
    scenario = LitmusScenario(
      id: String(id.spelling), title: title, source: "", file: file, line: line.number, kernels: [.v7_3],
      machine: LitmusMachine(), lines: [])
  }

  private mutating func closeScenario() throws(LitmusError) {
    guard let scenario else { return }
    guard scenario.lines.contains(where: { if case .verdict = $0.body { true } else { false } }) else {
      throw LitmusError(
        file: file, line: scenario.line, column: 1,
        reason: "example \(scenario.id) has no 'verdict' line: it would test no encoding")
    }
    finished.append(scenario)
    self.scenario = nil
  }

  private func parseHeader(_ line: inout LitmusLine, into scenario: inout LitmusScenario) throws(LitmusError) -> Bool {
    if line.takeWord(ifNext: "source") {
      scenario.source = try line.takeText("the source")
      return true
    }
    if line.takeWord(ifNext: "kernels") {
      scenario.kernels = try parseKernels(&line)
      return true
    }
    if line.takeWord(ifNext: "machine") {
      let word = try line.takeWord("an architecture")
      guard let found = LitmusMachine.Architecture(rawValue: String(word.spelling)) else {
        let known = LitmusMachine.Architecture.allCases.map(\.rawValue).joined(separator: ", ")
        throw line.error(at: word, "unknown architecture '\(word.spelling)'; known: \(known)")
      }
      scenario.machine.architecture = found
      return true
    }
    if line.takeWord(ifNext: "swap-device") {
      guard line.takeWord(ifNext: "stable-writes") else { throw line.error("expected 'stable-writes'") }
      scenario.machine.swapNeedsStableWrites = true
      return true
    }
    return false
  }

  /// `on 6.1..6.12:` before a statement.
  private func parseCondition(_ line: inout LitmusLine) throws(LitmusError) -> [LitmusKernel]? {
    guard line.takeWord(ifNext: "on") else { return nil }
    let kernels = try parseKernels(&line)
    try line.takeMark(":")
    return kernels
  }

  /// `6.1`, `6.1..6.12`, `6.18..`, several with commas.
  private func parseKernels(_ line: inout LitmusLine) throws(LitmusError) -> [LitmusKernel] {
    var found: Set<LitmusKernel> = []
    repeat {
      let word = try line.takeWord("a kernel version")
      let parts = word.spelling.split(separator: "..", maxSplits: 1, omittingEmptySubsequences: false)
      let low = try parseKernel(parts[0], emptyMeans: .v6_1, word, line)
      let high = parts.count == 1 ? low : try parseKernel(parts[1], emptyMeans: .v7_3, word, line)
      found.formUnion(LitmusKernel.allCases.filter { low <= $0 && $0 <= high })
    } while line.takeMark(ifNext: ",")
    return found.sorted()
  }

  private func parseKernel(
    _ text: Substring, emptyMeans: LitmusKernel, _ word: LitmusToken, _ line: LitmusLine
  ) throws(LitmusError) -> LitmusKernel {
    if text.isEmpty { return emptyMeans }
    guard let kernel = LitmusKernel(name: text) else {
      let known = LitmusKernel.allCases.map(\.name).joined(separator: ", ")
      throw line.error(at: word, "unknown kernel '\(text)'; known: \(known)")
    }
    return kernel
  }

  private mutating func parseBody(_ line: inout LitmusLine) throws(LitmusError) -> LitmusStatement.Body {
    if line.takeWord(ifNext: "expect") { return .expect(try parseExpectation(&line)) }
    if line.takeWord(ifNext: "verdict") { return .verdict(try parseVerdict(&line)) }
    if line.takeWord(ifNext: "cost") { return .cost(try parseCost(&line)) }
    return .step(try parseOperation(&line))
  }
}
