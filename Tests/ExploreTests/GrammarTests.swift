// SPDX-License-Identifier: GPL-2.0-only

import Testing

@testable import Explore

struct GrammarTests {
  /// Text, line of the error, what it says.
  static let refused: [(String, Int, String)] = [
    ("shared a flag", 1, "'shared' stands before any 'model'"),
    ("model m\nnonsense", 2, "'nonsense' means nothing here"),
    ("model m\nshared a", 2, "a type is missing: flag, 0..N, enum, lock, rwlock or a record"),
    ("model m\nactor a\n  x = 1", 3, "'end' is missing"),
    ("model m\nactor a\n  x +\nend", 3, "a value is missing"),
    ("model m\nactor a\n  x 2\nend", 3, "neither a statement nor an assignment"),
    ("model m\nactor a\n  wait \"open\nend", 3, "a string is not closed"),
    ("model m\nrow R \"t\"\n  model m\nend", 2, "row R has no actor"),
    (
      "model m\nactor a\nend\nrow R \"t\"\n  model m\n  actor a\n  expect arm holds\nend", 7,
      "'arm' is no memory model: sc, tso, weak"
    ),
    ("model m\ncommon\nmodel m\nencoding A from B", 4, "encoding B is not there (yet)"),
    ("model m\nactor a\nend\nactor a\nend", 4, "actor a is there twice"),
    (
      "model m\nactor a\n  wait " + String(repeating: "(", count: 5000) + "\nend", 3,
      "an expression is nested too deeply"
    ),
  ]

  @Test(arguments: refused) func aLineThatCannotBeUnderstoodIsNamed(_ refused: (String, Int, String)) {
    var library = InterleavingLibrary()
    #expect(throws: ModelError(file: "f.model", line: refused.1, reason: refused.2)) {
      try library.add(text: refused.0, file: "f.model")
    }
  }

  /// Statements of an actor with a shared x 0..3, line of the error (the first statement is line 4), what it says.
  static let unresolved: [(String, Int, String)] = [
    ("y = 1", 4, "'y' is not known"),
    ("x = 4", 4, "4 does not fit"),
    ("x = 0\ngoto nowhere", 5, "there is no label 'nowhere'"),
    ("lock x", 4, "this is no lock"),
    ("x.field = 1", 4, "'.field': this is no record"),
    ("call(x)", 4, "there is no procedure 'call'"),
    ("for i in 0..x\nend", 4, "this has to be a constant"),
    ("again:\ngoto again", 3, "a loop without a step"),
    ("x = many[3]", 4, "many has no element 3"),
    ("atomic\nlock l\nend", 5, "this cannot stand in an atomic step"),
  ]

  @Test(arguments: unresolved) func aNameThatMeansNothingIsNamed(_ unresolved: (String, Int, String)) {
    let text =
      "model m\nshared many[2] flag\nactor a\n\(unresolved.0)\nend\nshared x 0..3\nshared l lock\n"
      + "row R \"t\"\nmodel m\nactor a\nend"
    #expect(throws: ModelError(file: "small.model", line: unresolved.1, reason: unresolved.2)) {
      try Small.result(text)
    }
  }

  /// A value that only a search can see does not fit: an error of the model, not a crash.
  @Test func aValueThatDoesNotFitIsAnErrorOfTheModel() {
    let text = """
      model m
      shared x 0..3 = 3
      actor a
        s1: x = x + 1
      end
      row R "t"
        model m
        actor a
      end
      """
    #expect(throws: ModelError.self) { try Small.result(text) }
  }

  @Test func aStepThatIsNotThereCannotBeLeftOut() {
    #expect(throws: ModelError.self) { try Bundled.results("K-01", leavingOut("nothing")) }
  }

  private func leavingOut(_ label: String) -> CellSelection {
    var selection = CellSelection()
    selection.without = [label]
    return selection
  }

  /// Bytes without sense never trap.
  @Test func randomLinesAreRefusedOrRead() throws {
    var generator = Generator(state: 7)
    let words = [
      "model", "m", "row", "actor", "end", "if", "else", "x", "=", "1", "{", "}", "(", ")", "lock", "for", "in", "..",
      "choose", "or", "\"", "\n", "\n", "shared", "flag", "define", ":", "wait", "encoding", "expect", "sc", "holds",
    ]
    for _ in 0..<2000 {
      let text = (0..<40).map { _ in words[generator.next(words.count)] }.joined(separator: " ")
      var library = InterleavingLibrary()
      _ = try? library.add(text: text, file: "f.model")
    }
  }

  private struct Generator {
    var state: UInt64
    mutating func next(_ limit: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % limit
    }
  }
}
