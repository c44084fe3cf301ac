// SPDX-License-Identifier: GPL-2.0-only

/// An expression as written: names are not resolved yet.
package indirect enum ExpressionSyntax: Sendable, Equatable {
  case number(Int)
  case name(String)
  case element(String, ExpressionSyntax)
  /// A `define`, or the start of a record: `entry{...}` is an update of the all-zero record.
  case call(String, [ExpressionSyntax])
  case member(ExpressionSyntax, String)
  case update(ExpressionSyntax, [FieldValue])
  case not(ExpressionSyntax)
  case binary(Operator, ExpressionSyntax, ExpressionSyntax)
  case conditional(ExpressionSyntax, ExpressionSyntax, ExpressionSyntax)
  case quantified(Quantifier, variable: String, from: ExpressionSyntax, through: ExpressionSyntax, ExpressionSyntax)

  package struct FieldValue: Sendable, Equatable {
    var field: String
    var value: ExpressionSyntax
  }

  package enum Quantifier: String, Sendable { case any, all, sum }

  package enum Operator: String, Sendable, CaseIterable {
    case or = "||"
    case and = "&&"
    case equal = "=="
    case notEqual = "!="
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case less = "<"
    case greater = ">"
    case plus = "+"
    case minus = "-"
    case times = "*"
    case divided = "/"
    case remainder = "%"

    var precedence: Int {
      switch self {
      case .or: 1
      case .and: 2
      case .equal, .notEqual, .lessOrEqual, .greaterOrEqual, .less, .greater: 3
      case .plus, .minus: 4
      case .times, .divided, .remainder: 5
      }
    }
  }
}
