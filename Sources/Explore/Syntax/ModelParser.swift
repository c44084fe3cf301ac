// SPDX-License-Identifier: GPL-2.0-only

/// Reads `.model` and `.rows` files: the grammar is told in fixtures/interleavings/README.md.
package struct ModelParser {
  /// What files have said so far. A model may be spread over several files.
  package struct Library: Sendable {
    package var models: [String: ModelSyntax] = [:]
    package var rows: [RowSyntax] = []
    package init() {}
  }

  let file: String
  private let lines: [(number: Int, text: Substring)]
  private var position = 0
  private var library: Library
  private var model: String?
  private var encoding: String?
  /// How deep in blocks we are.
  var depth = 0
  /// What the line that opened a block said about it.
  var openedNarration: String?

  package static func parse(_ text: String, file: String, into library: inout Library) throws(ModelError) {
    var parser = ModelParser(text, file: file, library)
    try parser.run()
    library = parser.library
  }

  private init(_ text: String, file: String, _ library: Library) {
    self.file = file
    self.library = library
    lines = Self.logicalLines(text)
  }

  /// Without comments and blank lines; a line that ends in a backslash goes on in the next.
  private static func logicalLines(_ text: String) -> [(number: Int, text: Substring)] {
    var lines: [(number: Int, text: Substring)] = []
    var isContinued = false
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let content = withoutComment(line).trimmed
      let goesOn = content.hasSuffix("\\")
      let part = goesOn ? content.dropLast() : content[...]
      if isContinued, let last = lines.popLast() {
        lines.append((last.number, Substring(last.text + " " + part)))
      } else if !part.isEmpty {
        lines.append((index + 1, part))
      }
      isContinued = goesOn
    }
    return lines
  }

  private static func withoutComment(_ line: Substring) -> Substring {
    var isQuoted = false
    for index in line.indices {
      if line[index] == "\"" { isQuoted.toggle() }
      if line[index] == "#", !isQuoted { return line[..<index] }
    }
    return line
  }

  // — lines

  var hasMore: Bool { position < lines.count }
  var lineNumber: Int { lines[max(0, min(position, lines.count) - 1)].number }

  mutating func takeLine() -> LineTokens? {
    guard hasMore else { return nil }
    defer { position += 1 }
    return LineTokens(lines[position].text, line: SourceLine(file: file, line: lines[position].number))
  }

  func endOfFile() -> ModelError { ModelError(file: file, line: lines.last?.number ?? 1, reason: "'end' is missing") }

  // — top level

  private mutating func run() throws(ModelError) {
    while var tokens = takeLine() {
      let keyword = try tokens.bareWord("a keyword")
      switch keyword {
      case "model":
        let name = try tokens.bareWord("a model's name")
        try tokens.finish()
        model = name
        encoding = nil
        if library.models[name] == nil { library.models[name] = ModelSyntax(name: name, line: tokens.line) }
      case "row":
        let row = try row(&tokens)
        guard !library.rows.contains(where: { $0.id == row.id }) else {
          throw row.line.error("row \(row.id) is there twice")
        }
        library.rows.append(row)
      default:
        guard let model, var syntax = library.models[model] else {
          throw tokens.line.error("'\(keyword)' stands before any 'model'")
        }
        try declaration(keyword, &tokens, in: &syntax)
        library.models[model] = syntax
      }
    }
  }

  private mutating func declaration(
    _ keyword: String, _ tokens: inout LineTokens, in model: inout ModelSyntax
  ) throws(ModelError) {
    switch keyword {
    case "constant": model.constants.append(try constant(&tokens, .plain))
    case "option":
      let name = try tokens.identifier("a name")
      let text = try tokens.string("what the option does")
      try tokens.finish()
      model.constants.append(
        ConstantSyntax(line: tokens.line, name: name, value: .number(0), role: .option(text)))
    case "vary": model.constants.append(try varied(&tokens))
    case "record": model.records.append(try record(&tokens))
    case "shared": model.shared.append(try shared(&tokens))
    case "never": model.checks.append(try check(&tokens, .always, isCost: false))
    case "at-rest": model.checks.append(try check(&tokens, .atRest, isCost: false))
    case "at-end": model.checks.append(try check(&tokens, .atEnd, isCost: false))
    case "observe":
      let text = try tokens.string("what it is")
      model.observations.append(
        ObservationSyntax(line: tokens.line, text: text, value: try tokens.expression()))
      try tokens.finish()
    case "cost": model.checks.append(try check(&tokens, .atRest, isCost: true))
    case "common":
      try tokens.finish()
      encoding = nil
    case "encoding":
      let name = try tokens.bareWord("an encoding's name")
      var parent: String?
      if try tokens.takes("from") { parent = try tokens.bareWord("the encoding it is based on") }
      let isAbstract = try tokens.takes("abstract")
      try tokens.finish()
      guard model.encoding(named: name) == nil else { throw tokens.line.error("encoding \(name) is there twice") }
      if let parent, model.encoding(named: parent) == nil {
        throw tokens.line.error("encoding \(parent) is not there (yet)")
      }
      model.encodings.append(EncodingSyntax(name: name, parent: parent, isAbstract: isAbstract))
      encoding = name
    case "rules":
      guard let index = model.encodings.firstIndex(where: { $0.name == encoding }) else {
        throw tokens.line.error("'rules' belongs to an encoding")
      }
      repeat { model.encodings[index].options.append(try tokens.bareWord("an option")) } while try tokens.takes(",")
      try tokens.finish()
    case "define":
      let definition = try definition(&tokens)
      try changeSection(of: &model, tokens.line) { section throws(ModelError) in
        guard section.definitions.updateValue(definition, forKey: definition.name) == nil else {
          throw definition.line.error("\(definition.name) is defined twice")
        }
      }
    case "procedure":
      let procedure = try procedure(&tokens)
      try changeSection(of: &model, tokens.line) { section throws(ModelError) in
        guard section.procedures.updateValue(procedure, forKey: procedure.name) == nil else {
          throw procedure.line.error("procedure \(procedure.name) is there twice")
        }
      }
    case "actor":
      let actor = try procedure(&tokens)
      guard model.actors.updateValue(actor, forKey: actor.name) == nil else {
        throw actor.line.error("actor \(actor.name) is there twice")
      }
    default: throw tokens.line.error("'\(keyword)' means nothing here")
    }
  }

  private func changeSection(
    of model: inout ModelSyntax, _ line: SourceLine, _ change: (inout SectionSyntax) throws(ModelError) -> Void
  ) throws(ModelError) {
    guard let encoding else { return try change(&model.common) }
    guard let index = model.encodings.firstIndex(where: { $0.name == encoding }) else { return }
    try change(&model.encodings[index].section)
  }

  // — declarations

  private func constant(
    _ tokens: inout LineTokens, _ role: ConstantSyntax.Role
  ) throws(ModelError) -> ConstantSyntax {
    let name = try tokens.identifier("a name")
    try tokens.expect("=")
    let value = try tokens.expression()
    try tokens.finish()
    return ConstantSyntax(line: tokens.line, name: name, value: value, role: role)
  }

  /// `vary tables "geometry": one = 1, two = 2`
  private func varied(_ tokens: inout LineTokens) throws(ModelError) -> ConstantSyntax {
    let name = try tokens.identifier("a name")
    let label = try tokens.string("what the values are called")
    try tokens.expect(":")
    var values: [(name: String, value: Int)] = []
    repeat {
      let shown: String
      switch try tokens.next() {
      case .word(let word): shown = word
      case .number(let number): shown = String(number)
      default: throw tokens.line.error("the name of a value is missing")
      }
      try tokens.expect("=")
      guard case .number(let value)? = try tokens.next() else { throw tokens.line.error("a number is missing") }
      values.append((shown, value))
    } while try tokens.takes(",")
    try tokens.finish()
    return ConstantSyntax(
      line: tokens.line, name: name, value: .number(values[0].value), role: .varied(label: label, values: values))
  }

  private mutating func record(_ tokens: inout LineTokens) throws(ModelError) -> RecordSyntax {
    var record = RecordSyntax(line: tokens.line, name: try tokens.identifier("a name"), fields: [])
    try tokens.finish()
    while var line = takeLine() {
      let name = try line.identifier("a field")
      if name == "end" {
        try line.finish()
        return record
      }
      record.fields.append((name, try line.type()))
      try line.finish()
    }
    throw endOfFile()
  }

  private func shared(_ tokens: inout LineTokens) throws(ModelError) -> SharedSyntax {
    let name = try tokens.identifier("a name")
    var count: ExpressionSyntax?
    if try tokens.takes("[") {
      count = try tokens.expression()
      try tokens.expect("]")
    }
    let type = try tokens.type()
    var value: ExpressionSyntax?
    if try tokens.takes("=") { value = try tokens.expression() }
    try tokens.finish()
    return SharedSyntax(line: tokens.line, name: name, count: count, type: type, value: value)
  }

  private func check(
    _ tokens: inout LineTokens, _ moment: CheckSyntax.Moment, isCost: Bool
  ) throws(ModelError) -> CheckSyntax {
    let verdict = try tokens.bareWord("a verdict")
    let text = try tokens.string("what is wrong then")
    let condition = try tokens.expression()
    try tokens.finish()
    return CheckSyntax(
      line: tokens.line, moment: moment, verdict: verdict, text: text, condition: condition, isCost: isCost)
  }

  private func definition(_ tokens: inout LineTokens) throws(ModelError) -> DefinitionSyntax {
    let name = try tokens.identifier("a name")
    let parameters = try tokens.parameters()
    try tokens.expect("=")
    let value = try tokens.expression()
    try tokens.finish()
    return DefinitionSyntax(line: tokens.line, name: name, parameters: parameters, value: value)
  }

  private mutating func procedure(_ tokens: inout LineTokens) throws(ModelError) -> ProcedureSyntax {
    let name = try tokens.identifier("a name")
    let parameters = try tokens.parameters()
    let isRelaxed = try tokens.takes("relaxed")
    try tokens.finish()
    let (body, _) = try statements(until: ["end"])
    return ProcedureSyntax(
      line: tokens.line, name: name, parameters: parameters, body: body, isRelaxed: isRelaxed)
  }
}
