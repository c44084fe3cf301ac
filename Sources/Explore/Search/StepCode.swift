// SPDX-License-Identifier: GPL-2.0-only

/// Steps as code for a small stack machine: a search runs them some million times a second.
struct StepCode {
  enum Operation: UInt8 {
    case constant
    /// Bits of a word: `word`, `shift`, `width`.
    case load
    /// Bits (`shift`, `width`) of element `pop` of the variable whose slots start at `operand`.
    case loadElement
    case store
    case storeElement
    case extract
    case replace
    case not
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
    case add, subtract, multiply, divide, remainder
    /// The value on the stack becomes 0 or 1.
    case truth
    case jump
    case jumpIfZero
    /// The step cannot be taken now unless the value is non-zero.
    case require
    /// Assertion `operand` is broken if the value is zero.
    case assert
    case end
  }

  struct Instruction {
    var operation: Operation
    var word: UInt8 = 0
    var shift: UInt8 = 0
    var width: UInt8 = 0
    var operand: Int32 = 0
  }

  private(set) var instructions: [Instruction] = []
  private let layout: StateLayout

  init(_ layout: StateLayout) { self.layout = layout }

  /// Code that leaves the value on the stack; where it starts.
  mutating func condition(_ value: StepValue) -> Int32 {
    let start = Int32(instructions.count)
    emit(value)
    add(.end)
    return start
  }

  /// Code of a whole step, which ends with the actor's new position.
  mutating func step(_ step: Step, position: Int, end: Int) -> Int32 {
    let start = Int32(instructions.count)
    begin(step)
    emit(step.next, position: position, end: end)
    add(.end)
    return start
  }

  /// A step of a relaxed actor: who drives it keeps the position.
  mutating func relaxedStep(_ step: Step) -> Int32 {
    let start = Int32(instructions.count)
    begin(step)
    add(.end)
    return start
  }

  private mutating func begin(_ step: Step) {
    if let condition = step.guardCondition {
      emit(condition)
      add(.require)
    }
    for effect in step.effects { emit(effect) }
  }

  private mutating func add(_ operation: Operation, operand: Int = 0) {
    instructions.append(Instruction(operation: operation, operand: Int32(operand)))
  }

  private mutating func add(_ operation: Operation, _ bits: Bits, word: Int = 0, operand: Int = 0) {
    instructions.append(
      Instruction(
        operation: operation, word: UInt8(word), shift: UInt8(bits.shift), width: UInt8(bits.width),
        operand: Int32(operand)))
  }

  private mutating func patch(_ index: Int) { instructions[index].operand = Int32(instructions.count) }

  private mutating func emit(_ next: Step.Next, position: Int, end: Int) {
    switch next {
    case .step(let target): setPosition(target, position)
    case .end: setPosition(end, position)
    case .branch(let condition, let yes, let no):
      emit(condition)
      let toNo = instructions.count
      add(.jumpIfZero)
      emit(yes, position: position, end: end)
      let toEnd = instructions.count
      add(.jump)
      patch(toNo)
      emit(no, position: position, end: end)
      patch(toEnd)
    }
  }

  private mutating func setPosition(_ value: Int, _ position: Int) {
    add(.constant, operand: value)
    emit(storeTo: StatePlace(base: position, count: 1))
  }

  private mutating func emit(_ effect: Step.Effect) {
    switch effect {
    case .assign(let place, let value):
      emit(value)
      emit(storeTo: place)
    case .assert(let number, let value):
      emit(value)
      add(.assert, operand: number)
    case .when(let condition, let yes, let no):
      emit(condition)
      let toNo = instructions.count
      add(.jumpIfZero)
      for effect in yes { emit(effect) }
      let toEnd = instructions.count
      add(.jump)
      patch(toNo)
      for effect in no { emit(effect) }
      patch(toEnd)
    }
  }

  private func bits(of place: StatePlace, slot: Int) -> Bits {
    let whole = layout.slots[slot].bits
    guard let part = place.bits else { return whole }
    return Bits(shift: whole.shift + part.shift, width: part.width)
  }

  /// Relative to the start of the slot, which differs by element.
  private func elementBits(of place: StatePlace) -> Bits {
    place.bits ?? Bits(shift: 0, width: layout.slots[place.base].bits.width)
  }

  private mutating func emit(storeTo place: StatePlace) {
    if let slot = place.slot {
      add(.store, bits(of: place, slot: slot), word: layout.slots[slot].word)
    } else if let index = place.index {
      emit(index)
      add(.storeElement, elementBits(of: place), word: place.count, operand: place.base)
    }
  }

  private mutating func emit(_ value: StepValue) {
    switch value {
    case .constant(let number): add(.constant, operand: number)
    case .load(let place):
      if let slot = place.slot {
        add(.load, bits(of: place, slot: slot), word: layout.slots[slot].word)
      } else if let index = place.index {
        emit(index)
        add(.loadElement, elementBits(of: place), word: place.count, operand: place.base)
      }
    case .not(let inner):
      emit(inner)
      add(.not)
    case .field(let record, let bits):
      emit(record)
      add(.extract, bits)
    case .replacing(let record, let bits, let new):
      emit(record)
      emit(new)
      add(.replace, bits)
    case .conditional(let condition, let yes, let no): emitChoice(condition, yes, no)
    case .binary(.and, let a, let b):
      emitChoice(a, b, .constant(0))
      add(.truth)
    case .binary(.or, let a, let b):
      emitChoice(a, .constant(1), b)
      add(.truth)
    case .binary(let operation, let a, let b):
      emit(a)
      emit(b)
      add(Self.arithmetic(operation))
    }
  }

  private mutating func emitChoice(_ condition: StepValue, _ yes: StepValue, _ no: StepValue) {
    emit(condition)
    let toNo = instructions.count
    add(.jumpIfZero)
    emit(yes)
    let toEnd = instructions.count
    add(.jump)
    patch(toNo)
    emit(no)
    patch(toEnd)
  }

  private static func arithmetic(_ operation: ExpressionSyntax.Operator) -> Operation {
    switch operation {
    case .equal: .equal
    case .notEqual: .notEqual
    case .less: .less
    case .lessOrEqual: .lessOrEqual
    case .greater: .greater
    case .greaterOrEqual: .greaterOrEqual
    case .plus: .add
    case .minus: .subtract
    case .times: .multiply
    case .divided: .divide
    case .remainder: .remainder
    case .and, .or: .truth
    }
  }
}
