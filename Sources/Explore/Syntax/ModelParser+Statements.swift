// SPDX-License-Identifier: GPL-2.0-only

/// What actors and procedures consist of.
extension ModelParser {
  /// Statements up to a line that consists of one of the words alone; which one it was.
  mutating func statements(until closing: Set<String>) throws(ModelError) -> ([StatementSyntax], String) {
    var body: [StatementSyntax] = []
    depth += 1
    defer { depth -= 1 }
    guard depth < 40 else { throw ModelError(file: file, line: lineNumber, reason: "blocks are nested too deeply") }
    while let tokens = takeLine() {
      if closing.contains(String(tokens.text)) { return (body, String(tokens.text)) }
      body.append(try statement(tokens))
    }
    throw endOfFile()
  }

  private mutating func statement(_ start: LineTokens) throws(ModelError) -> StatementSyntax {
    var (label, tokens) = try labelled(start)
    let text = tokens.text.trimmed
    guard !text.isEmpty else {
      return StatementSyntax(line: tokens.line, label: label, narration: nil, text: "", kind: .mark)
    }
    let kind = try kind(&tokens)
    let narration: String?
    switch kind {
    case .when, .tryLock, .repeated, .choose, .atomic: narration = nil
    default: narration = try tokens.closingString()
    }
    var shown = text[...]
    if let quote = shown.firstIndex(of: "\"") { shown = shown[..<quote] }
    return StatementSyntax(
      line: tokens.line, label: label, narration: narration ?? openedNarration, text: shown.trimmed, kind: kind)
  }

  /// `LABEL: STATEMENT`
  private func labelled(_ start: LineTokens) throws(ModelError) -> (String?, LineTokens) {
    var probe = start
    guard case .word(let word)? = try probe.next(), try probe.takes(":") else { return (nil, start) }
    return (word, LineTokens(Substring(probe.remainder), line: start.line))
  }

  private mutating func kind(_ tokens: inout LineTokens) throws(ModelError) -> StatementSyntax.Kind {
    openedNarration = nil
    var probe = tokens
    guard case .word(let word)? = try probe.next() else { throw tokens.line.error("a statement is missing") }
    switch word {
    case "lock": return try simple(&tokens) { t throws(ModelError) in .lock(.exclusive, try t.expression()) }
    case "unlock": return try simple(&tokens) { t throws(ModelError) in .unlock(.exclusive, try t.expression()) }
    case "read_lock": return try simple(&tokens) { t throws(ModelError) in .lock(.shared, try t.expression()) }
    case "read_unlock": return try simple(&tokens) { t throws(ModelError) in .unlock(.shared, try t.expression()) }
    case "wait": return try simple(&tokens) { t throws(ModelError) in .wait(try t.expression()) }
    case "smp_mb", "smp_rmb", "smp_wmb":
      _ = try tokens.next()
      guard let barrier = Barrier(rawValue: word) else { throw tokens.line.error("no barrier") }
      return .barrier(barrier)
    case "goto": return try simple(&tokens) { t throws(ModelError) in .goto(try t.identifier("a label")) }
    case "done": return try simple(&tokens) { _ throws(ModelError) in .done }
    case "assert":
      tokens = LineTokens(tokens.text.dropFirst("assert".count), line: tokens.line)
      let verdict = try tokens.bareWord("a verdict")
      return .assert(verdict, try tokens.expression())
    case "register":
      _ = try tokens.next()
      let name = try tokens.identifier("a name")
      let type = try tokens.type()
      return .register(name, type, try tokens.takes("=") ? try tokens.expression() : nil)
    case "rmw":
      _ = try tokens.next()
      let isRelaxed = try tokens.takes("relaxed")
      return .assign(try assignments(&tokens), isRelaxed ? .relaxedReadModifyWrite : .readModifyWrite)
    case "acquire": return try simple(&tokens) { t throws(ModelError) in .assign(try Self.assignments(&t), .acquire) }
    case "release": return try simple(&tokens) { t throws(ModelError) in .assign(try Self.assignments(&t), .release) }
    case "if", "for", "choose", "atomic": return try block(word, &tokens)
    default: return try assignmentOrCall(&tokens)
    }
  }

  private func simple(
    _ tokens: inout LineTokens, _ rest: (inout LineTokens) throws(ModelError) -> StatementSyntax.Kind
  ) throws(ModelError) -> StatementSyntax.Kind {
    _ = try tokens.next()
    return try rest(&tokens)
  }

  private mutating func block(
    _ word: String, _ tokens: inout LineTokens
  ) throws(ModelError) -> StatementSyntax.Kind {
    _ = try tokens.next()
    switch word {
    case "if":
      let isTry = try tokens.takes("trylock")
      let condition = try tokens.expression()
      let narration = try tokens.closingString()
      let (yes, closing) = try statements(until: ["else", "end"])
      let no = closing == "else" ? try statements(until: ["end"]).0 : []
      openedNarration = narration
      return isTry ? .tryLock(condition, yes, no) : .when(condition, yes, no)
    case "for":
      let variable = try tokens.identifier("a name")
      let (from, through) = try tokens.range()
      try tokens.finish()
      return .repeated(variable, from: from, through: through, try statements(until: ["end"]).0)
    case "choose":
      try tokens.finish()
      var choices: [[StatementSyntax]] = []
      var closing = ""
      repeat {
        let (body, word) = try statements(until: ["or", "end"])
        choices.append(body)
        closing = word
      } while closing == "or"
      return .choose(choices)
    default:
      let narration = try tokens.closingString()
      let body = try statements(until: ["end"]).0
      openedNarration = narration
      return .atomic(body)
    }
  }

  private func assignmentOrCall(_ tokens: inout LineTokens) throws(ModelError) -> StatementSyntax.Kind {
    var probe = tokens
    if case .call(let name, let arguments)? = try? probe.expression() {
      let next = try probe.peek()
      var isEnd = next == nil
      if case .string? = next { isEnd = true }
      if isEnd {
        tokens = probe
        return .call(name, arguments)
      }
    }
    return .assign(try assignments(&tokens), .plain)
  }

  private func assignments(_ tokens: inout LineTokens) throws(ModelError) -> [AssignmentSyntax] {
    try Self.assignments(&tokens)
  }

  /// `a = x; b = y`: one step, in this order.
  static func assignments(_ tokens: inout LineTokens) throws(ModelError) -> [AssignmentSyntax] {
    var all: [AssignmentSyntax] = []
    repeat {
      let target = try tokens.expression()
      guard try tokens.takes("=") else { throw tokens.line.error("neither a statement nor an assignment") }
      all.append(AssignmentSyntax(target: target, value: try tokens.expression()))
    } while try tokens.takes(";")
    return all
  }
}
