// SPDX-License-Identifier: GPL-2.0-only

/// Runs the code of steps on a state.
@safe
struct StepMachine: ~Copyable {
  enum Outcome {
    case done
    /// The step has to wait.
    case blocked
    /// The model says something that cannot be: an element that does not exist, a value that does not fit.
    case impossible
  }

  /// Broken assertions since `reset`.
  private(set) var broken: UInt64 = 0
  /// What the code left on the stack: the value of a condition.
  private(set) var value = 0

  private let code: UnsafeMutableBufferPointer<StepCode.Instruction>
  private let places: UnsafeMutableBufferPointer<StateLayout.Slot>
  private let stack: UnsafeMutableBufferPointer<Int>
  private static let stackSize = 64

  init(_ code: StepCode, _ layout: StateLayout) {
    unsafe self.code = .allocate(capacity: code.instructions.count)
    _ = unsafe self.code.initialize(from: code.instructions)
    unsafe places = .allocate(capacity: layout.slots.count)
    _ = unsafe places.initialize(from: layout.slots)
    unsafe stack = .allocate(capacity: Self.stackSize)
    unsafe stack.initialize(repeating: 0)
  }

  deinit {
    unsafe code.deallocate()
    unsafe places.deallocate()
    unsafe stack.deallocate()
  }

  mutating func reset() { broken = 0 }

  /// Runs from `start` on. Depth of the stack is bounded by the depth of expressions, which the parser's recursion
  /// bounds far below its size; the check keeps a strange file from doing harm.
  mutating func run(_ start: Int32, _ state: UnsafeMutablePointer<UInt64>) -> Outcome {
    var counter = Int(start)
    var top = 0
    while true {
      let instruction = unsafe code[counter]
      counter += 1
      guard top < Self.stackSize - 2 else { return .impossible }
      switch instruction.operation {
      case .constant:
        unsafe stack[top] = Int(instruction.operand)
        top += 1
      case .load:
        unsafe stack[top] = Self.get(state, Int(instruction.word), Int(instruction.shift), Int(instruction.width))
        top += 1
      case .loadElement:
        let index = unsafe stack[top - 1]
        guard index >= 0, index < Int(instruction.word) else { return .impossible }
        let slot = unsafe places[Int(instruction.operand) + index]
        unsafe stack[top - 1] = Self.get(
          state, slot.word, slot.bits.shift + Int(instruction.shift), Int(instruction.width))
      case .store:
        top -= 1
        let value = unsafe stack[top]
        guard value >= 0, value >> Int(instruction.width) == 0 else { return .impossible }
        unsafe Self.set(state, Int(instruction.word), Int(instruction.shift), Int(instruction.width), value)
      case .storeElement:
        top -= 2
        let (value, index) = unsafe (stack[top], stack[top + 1])
        guard index >= 0, index < Int(instruction.word) else { return .impossible }
        guard value >= 0, value >> Int(instruction.width) == 0 else { return .impossible }
        let slot = unsafe places[Int(instruction.operand) + index]
        unsafe Self.set(state, slot.word, slot.bits.shift + Int(instruction.shift), Int(instruction.width), value)
      case .extract:
        unsafe stack[top - 1] = (stack[top - 1] >> Int(instruction.shift)) & ((1 << Int(instruction.width)) - 1)
      case .replace:
        top -= 1
        let mask = (1 << Int(instruction.width)) - 1
        let new = unsafe stack[top]
        guard new >= 0, new <= mask else { return .impossible }
        unsafe stack[top - 1] =
          stack[top - 1] & ~(mask << Int(instruction.shift)) | new << Int(instruction.shift)
      case .not: unsafe stack[top - 1] = stack[top - 1] == 0 ? 1 : 0
      case .truth: unsafe stack[top - 1] = stack[top - 1] == 0 ? 0 : 1
      case .jump: counter = Int(instruction.operand)
      case .jumpIfZero:
        top -= 1
        if unsafe stack[top] == 0 { counter = Int(instruction.operand) }
      case .require:
        top -= 1
        if unsafe stack[top] == 0 { return .blocked }
      case .assert:
        top -= 1
        if unsafe stack[top] == 0 { broken |= 1 << UInt64(instruction.operand) }
      case .end:
        if top > 0 { value = unsafe stack[top - 1] }
        return .done
      case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .add, .subtract, .multiply, .divide,
        .remainder:
        top -= 1
        let (a, b) = unsafe (stack[top - 1], stack[top])
        guard let result = Self.arithmetic(instruction.operation, a, b) else { return .impossible }
        unsafe stack[top - 1] = result
      }
    }
  }

  @inline(__always)
  private static func get(_ state: UnsafeMutablePointer<UInt64>, _ word: Int, _ shift: Int, _ width: Int) -> Int {
    Int(truncatingIfNeeded: unsafe state[word] &>> UInt64(shift)) & ((1 &<< width) &- 1)
  }

  @inline(__always)
  private static func set(
    _ state: UnsafeMutablePointer<UInt64>, _ word: Int, _ shift: Int, _ width: Int, _ value: Int
  ) {
    let mask: UInt64 = ((1 &<< UInt64(width)) &- 1) &<< UInt64(shift)
    unsafe state[word] = state[word] & ~mask | UInt64(truncatingIfNeeded: value) &<< UInt64(shift)
  }

  @inline(__always)
  private static func arithmetic(_ operation: StepCode.Operation, _ a: Int, _ b: Int) -> Int? {
    switch operation {
    case .equal: a == b ? 1 : 0
    case .notEqual: a != b ? 1 : 0
    case .less: a < b ? 1 : 0
    case .lessOrEqual: a <= b ? 1 : 0
    case .greater: a > b ? 1 : 0
    case .greaterOrEqual: a >= b ? 1 : 0
    case .add: a &+ b
    case .subtract: a &- b
    case .multiply: a &* b
    case .divide: b == 0 ? nil : a / b
    case .remainder: b == 0 ? nil : a % b
    default: nil
    }
  }
}
