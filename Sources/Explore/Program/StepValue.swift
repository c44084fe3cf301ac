// SPDX-License-Identifier: GPL-2.0-only

/// A resolved expression: names have become places of the state, definitions and loops are unfolded.
indirect enum StepValue: Hashable, Sendable {
  case constant(Int)
  case load(StatePlace)
  case not(StepValue)
  case binary(ExpressionSyntax.Operator, StepValue, StepValue)
  case conditional(StepValue, StepValue, StepValue)
  /// Some bits of a record.
  case field(StepValue, Bits)
  /// A record with some bits replaced.
  case replacing(StepValue, Bits, StepValue)
}

/// Bits of a number, counted from the least significant.
struct Bits: Hashable, Sendable {
  var shift: Int
  var width: Int

  var limit: Int { (1 << width) - 1 }
}

/// Where a value lies: one of `count` slots, or some bits of it.
struct StatePlace: Hashable, Sendable {
  /// The first slot of the variable.
  var base: Int
  /// Slots of the variable.
  var count: Int
  /// `nil`: the first.
  var index: StepValue?
  /// `nil`: all of it.
  var bits: Bits?

  /// The one slot it is, when that is known before running.
  var slot: Int? {
    switch index {
    case nil: base
    case .constant(let value): base + value
    default: nil
    }
  }

  /// Every slot it may be.
  var slots: Range<Int> {
    if let slot { return slot..<(slot + 1) }
    return base..<(base + count)
  }
}

extension StepValue {
  var constant: Int? {
    if case .constant(let value) = self { return value }
    return nil
  }

  /// Every place that is read.
  func forEachPlace(_ body: (StatePlace) -> Void) {
    switch self {
    case .constant: break
    case .load(let place):
      body(place)
      place.index?.forEachPlace(body)
    case .not(let value), .field(let value, _): value.forEachPlace(body)
    case .binary(_, let a, let b), .replacing(let a, _, let b):
      a.forEachPlace(body)
      b.forEachPlace(body)
    case .conditional(let condition, let yes, let no):
      condition.forEachPlace(body)
      yes.forEachPlace(body)
      no.forEachPlace(body)
    }
  }

  // — folding

  static func negation(_ value: StepValue) -> StepValue {
    switch value {
    case .constant(let number): .constant(number == 0 ? 1 : 0)
    case .not(.not(let inner)): .not(inner)
    default: .not(value)
    }
  }

  static func operation(_ operation: ExpressionSyntax.Operator, _ a: StepValue, _ b: StepValue) -> StepValue {
    if let x = a.constant, let y = b.constant, let folded = fold(operation, x, y) { return .constant(folded) }
    switch (operation, a.constant, b.constant) {
    case (.and, 0?, _), (.and, _, 0?): return .constant(0)
    case (.or, .some(let x), _) where x != 0: return .constant(1)
    case (.or, _, .some(let y)) where y != 0: return .constant(1)
    case (.and, .some, _), (.or, 0?, _): return truth(b)
    case (.and, _, .some), (.or, _, 0?): return truth(a)
    case (.plus, 0?, _): return b
    case (.plus, _, 0?), (.minus, _, 0?): return a
    default: return .binary(operation, a, b)
    }
  }

  static func choice(_ condition: StepValue, _ yes: StepValue, _ no: StepValue) -> StepValue {
    guard let known = condition.constant else { return .conditional(condition, yes, no) }
    return known != 0 ? yes : no
  }

  static func bits(_ bits: Bits, of value: StepValue) -> StepValue {
    switch value {
    case .constant(let number): return .constant(number >> bits.shift & bits.limit)
    case .load(var place) where place.bits == nil:
      place.bits = bits
      return .load(place)
    default: return .field(value, bits)
    }
  }

  static func replacement(in value: StepValue, _ bits: Bits, by new: StepValue) -> StepValue {
    guard let old = value.constant, let number = new.constant else { return .replacing(value, bits, new) }
    return .constant(old & ~(bits.limit << bits.shift) | (number & bits.limit) << bits.shift)
  }

  /// 0 or 1.
  private static func truth(_ value: StepValue) -> StepValue {
    isTruth(value) ? value : .binary(.notEqual, value, .constant(0))
  }

  private static func isTruth(_ value: StepValue) -> Bool {
    switch value {
    case .constant(let number): number == 0 || number == 1
    case .load(let place): place.bits?.width == 1
    case .field(_, let bits): bits.width == 1
    case .not: true
    case .binary(let operation, _, _): operation.precedence <= 3
    case .conditional(_, let yes, let no): isTruth(yes) && isTruth(no)
    case .replacing: false
    }
  }

  static func fold(_ operation: ExpressionSyntax.Operator, _ a: Int, _ b: Int) -> Int? {
    switch operation {
    case .or: a != 0 || b != 0 ? 1 : 0
    case .and: a != 0 && b != 0 ? 1 : 0
    case .equal: a == b ? 1 : 0
    case .notEqual: a != b ? 1 : 0
    case .lessOrEqual: a <= b ? 1 : 0
    case .greaterOrEqual: a >= b ? 1 : 0
    case .less: a < b ? 1 : 0
    case .greater: a > b ? 1 : 0
    case .plus: a &+ b
    case .minus: a &- b
    case .times: a &* b
    case .divided: b == 0 ? nil : a / b
    case .remainder: b == 0 ? nil : a % b
    }
  }
}
