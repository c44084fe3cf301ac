// SPDX-License-Identifier: GPL-2.0-only

/// One statement of an actor or procedure, as written.
package struct StatementSyntax: Sendable {
  package var line: SourceLine
  /// The name by which `--without` and a row drop the step, and `goto` finds it.
  var label: String?
  /// What the step is in the kernel, for schedules.
  var narration: String?
  /// The source, without label and narration.
  var text: String
  var kind: Kind

  indirect enum Kind: Sendable {
    case assign([AssignmentSyntax], AccessOrder)
    case lock(LockMode, ExpressionSyntax)
    case unlock(LockMode, ExpressionSyntax)
    case wait(ExpressionSyntax)
    case barrier(Barrier)
    case when(ExpressionSyntax, [StatementSyntax], [StatementSyntax])
    case tryLock(ExpressionSyntax, [StatementSyntax], [StatementSyntax])
    case repeated(String, from: ExpressionSyntax, through: ExpressionSyntax, [StatementSyntax])
    case choose([[StatementSyntax]])
    case atomic([StatementSyntax])
    case call(String, [ExpressionSyntax])
    case goto(String)
    /// A label alone on its line.
    case mark
    case done
    case assert(String, ExpressionSyntax)
    case register(String, TypeSyntax, ExpressionSyntax?)
  }
}

package struct AssignmentSyntax: Sendable {
  var target: ExpressionSyntax
  var value: ExpressionSyntax
}

/// How a step's accesses are ordered with the steps around it (memory-barriers.txt). Matters to relaxed actors only.
package enum AccessOrder: Sendable, Equatable {
  case plain
  case acquire
  case release
  /// A read-modify-write that is a full barrier: value-returning atomics.
  case readModifyWrite
  /// A read-modify-write without ordering: `atomic_add`, `xchg_relaxed`. On x86 any locked instruction is a barrier.
  case relaxedReadModifyWrite
}

package enum Barrier: String, Sendable {
  case full = "smp_mb"
  case read = "smp_rmb"
  case write = "smp_wmb"
}

package enum LockMode: Sendable { case exclusive, shared }

indirect enum TypeSyntax: Sendable {
  case flag
  /// 0 through the value of the expression.
  case upTo(ExpressionSyntax)
  case enumeration([String])
  case record(String)
  case lock
  case readWriteLock
}

struct ProcedureSyntax: Sendable {
  var line: SourceLine
  var name: String
  var parameters: [String]
  var body: [StatementSyntax]
  /// May leave program order where the memory model allows it.
  var isRelaxed = false
}

struct DefinitionSyntax: Sendable {
  var line: SourceLine
  var name: String
  var parameters: [String]
  var value: ExpressionSyntax
}
