// SPDX-License-Identifier: GPL-2.0-only

/// A model as written: what its states consist of, what actors do, and what must never be seen.
package struct ModelSyntax: Sendable {
  package var name: String
  package var line: SourceLine
  var constants: [ConstantSyntax] = []
  var records: [RecordSyntax] = []
  var shared: [SharedSyntax] = []
  var checks: [CheckSyntax] = []
  /// What two programs are compared by, where all have finished.
  var observations: [ObservationSyntax] = []
  /// Definitions and procedures outside of any encoding.
  var common = SectionSyntax()
  var encodings: [EncodingSyntax] = []
  var actors: [String: ProcedureSyntax] = [:]

  func encoding(named name: String) -> EncodingSyntax? { encodings.first { $0.name == name } }
}

/// A number with a default that rows and the command line may set.
struct ConstantSyntax: Sendable {
  enum Role: Sendable, Equatable {
    case plain
    /// Every value listed is a cell of the row of its own, under this name.
    case varied(label: String, values: [(name: String, value: Int)])
    /// A rule that may be switched on.
    case option(String)

    static func == (a: Role, b: Role) -> Bool {
      switch (a, b) {
      case (.plain, .plain): true
      case (.varied(let a, _), .varied(let b, _)): a == b
      case (.option(let a), .option(let b)): a == b
      default: false
      }
    }
  }

  var line: SourceLine
  var name: String
  var value: ExpressionSyntax
  var role: Role
}

struct RecordSyntax: Sendable {
  var line: SourceLine
  var name: String
  var fields: [(name: String, type: TypeSyntax)]
}

struct SharedSyntax: Sendable {
  var line: SourceLine
  var name: String
  var count: ExpressionSyntax?
  var type: TypeSyntax
  var value: ExpressionSyntax?
}

/// A condition that no state may fulfil.
struct CheckSyntax: Sendable {
  enum Moment: Sendable {
    /// Every state.
    case always
    /// States in which no actor is under way.
    case atRest
    /// States in which every actor has finished.
    case atEnd
  }

  var line: SourceLine
  var moment: Moment
  var verdict: String
  var text: String
  var condition: ExpressionSyntax
  /// Counted, and no violation.
  var isCost: Bool
}

struct ObservationSyntax: Sendable {
  var line: SourceLine
  var text: String
  var value: ExpressionSyntax
}

/// Definitions and procedures by name.
struct SectionSyntax: Sendable {
  var definitions: [String: DefinitionSyntax] = [:]
  var procedures: [String: ProcedureSyntax] = [:]
}

extension ModelSyntax {
  /// Whether the encoding, or one it is based on, looks at the option. Options that only the common part looks at are
  /// rules of every encoding.
  func encodes(_ option: String, in name: String) -> Bool {
    var current = encoding(named: name)
    while let encoding = current {
      if encoding.options.contains(option) { return true }
      current = encoding.parent.flatMap { self.encoding(named: $0) }
    }
    return false
  }
}

/// How an encoding does what every encoding has to do; what it does not say its parent, then the common part, does.
struct EncodingSyntax: Sendable {
  var name: String
  var parent: String?
  /// Only there for others to be based on.
  var isAbstract = false
  /// Options that are rules of this encoding.
  var options: [String] = []
  var section = SectionSyntax()
}

/// One question: these actors from this start, with these steps left out.
package struct RowSyntax: Sendable {
  /// The verdict where two programs lead to different ends.
  package static let differs = "DIFFERS"

  package var line: SourceLine
  package var id: String
  package var title: String
  var model: String
  var settings: [(name: String, value: ExpressionSyntax)] = []
  var starts: [[AssignmentSyntax]] = []
  var actors: [ActorUse] = []
  package var without: [String] = []
  var encodings: [String]?
  /// Runs in place of the first actor; both must lead to the same ends.
  var instead: ActorUse?
  package var expected: [MemoryModel: Expectation] = [:]
  package var note: String?

  struct ActorUse: Sendable {
    var line: SourceLine
    /// As shown in schedules; the actor's own name unless `NAME = actor(...)`.
    var shown: String
    var actor: String
    var arguments: [ExpressionSyntax]
  }

  package enum Expectation: Sendable, Equatable {
    case holds
    /// The verdict must be among those found; `nil`: any.
    case violated(String?)
  }
}

package enum MemoryModel: String, Sendable, CaseIterable, Comparable {
  case sc
  case tso
  case weak

  package static func < (a: Self, b: Self) -> Bool { a.strength > b.strength }
  private var strength: Int {
    switch self {
    case .sc: 2
    case .tso: 1
    case .weak: 0
    }
  }
}
