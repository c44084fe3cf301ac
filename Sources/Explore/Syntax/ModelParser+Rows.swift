// SPDX-License-Identifier: GPL-2.0-only

extension ModelParser {
  /// `row ID "TITLE"` up to `end`.
  mutating func row(_ tokens: inout LineTokens) throws(ModelError) -> RowSyntax {
    let id = try tokens.bareWord("the row's id")
    var row = RowSyntax(line: tokens.line, id: id, title: try tokens.string("the row's title"), model: "")
    try tokens.finish()
    while var line = takeLine() {
      let keyword = try line.identifier("a keyword")
      if keyword == "end" {
        try line.finish()
        guard !row.model.isEmpty else { throw row.line.error("row \(id) names no model") }
        guard !row.actors.isEmpty else { throw row.line.error("row \(id) has no actor") }
        return row
      }
      try entry(keyword, &line, of: &row)
    }
    throw endOfFile()
  }

  private func entry(
    _ keyword: String, _ tokens: inout LineTokens, of row: inout RowSyntax
  ) throws(ModelError) {
    switch keyword {
    case "model": row.model = try tokens.bareWord("a model's name")
    case "set":
      let name = try tokens.identifier("a constant")
      try tokens.expect("=")
      row.settings.append((name, try tokens.expression()))
    case "start": row.starts.append(try Self.assignments(&tokens))
    case "actor": row.actors.append(try actorUse(&tokens))
    case "instead": row.instead = try actorUse(&tokens)
    case "without": row.without += try words(&tokens)
    case "encoding": row.encodings = try words(&tokens)
    case "note": row.note = try tokens.string("the note")
    case "expect": try expectation(&tokens, of: &row)
    default: throw tokens.line.error("'\(keyword)' means nothing in a row")
    }
    try tokens.finish()
  }

  /// `actor store(0, 1)`, `actor second = fork(2)`
  private func actorUse(_ tokens: inout LineTokens) throws(ModelError) -> RowSyntax.ActorUse {
    let first = try tokens.identifier("an actor")
    let name = try tokens.takes("=") ? try tokens.identifier("an actor") : first
    let arguments = try tokens.takes("(") ? try tokens.arguments() : []
    return RowSyntax.ActorUse(line: tokens.line, shown: first, actor: name, arguments: arguments)
  }

  private func words(_ tokens: inout LineTokens) throws(ModelError) -> [String] {
    var all: [String] = []
    repeat { all.append(try tokens.bareWord("a name")) } while try tokens.takes(",")
    return all
  }

  /// `expect sc holds, tso violated, weak violated CONS-pin`
  private func expectation(_ tokens: inout LineTokens, of row: inout RowSyntax) throws(ModelError) {
    repeat {
      let name = try tokens.identifier("a memory model")
      guard let memory = MemoryModel(rawValue: name) else {
        throw tokens.line.error("'\(name)' is no memory model: sc, tso, weak")
      }
      let result = try tokens.bareWord("holds or violated")
      switch result {
      case "holds", "same": row.expected[memory] = .holds
      case "differs": row.expected[memory] = .violated(RowSyntax.differs)
      case "violated":
        let rest = tokens.remainder
        let isLast = rest.isEmpty || rest.hasPrefix(",")
        row.expected[memory] = .violated(isLast ? nil : try tokens.bareWord("a verdict"))
      default: throw tokens.line.error("'\(result)' is none of holds, violated, same, differs")
      }
    } while try tokens.takes(",")
  }
}
