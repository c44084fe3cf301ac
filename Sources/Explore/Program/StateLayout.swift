// SPDX-License-Identifier: GPL-2.0-only

/// Where each variable lies in a state of at most 128 bytes. Slots do not straddle words; the slots of an actor start
/// a word, so that actors that are alike can be exchanged by exchanging words.
struct StateLayout: Sendable {
  static let maximumWords = 16

  struct Slot: Sendable {
    var word: Int
    var bits: Bits
  }

  struct Variable: Sendable {
    var name: String
    /// The actor whose register it is.
    var actor: Int?
    var type: ValueType
    var base: Int
    var count: Int
  }

  private(set) var slots: [Slot] = []
  private(set) var variables: [Variable] = []
  private(set) var words = 0
  private var used = 64

  /// A new variable; the number of its first slot, `nil` when a state would become too large.
  mutating func add(_ name: String, actor: Int?, type: ValueType, count: Int) -> Int? {
    let base = slots.count
    variables.append(Variable(name: name, actor: actor, type: type, base: base, count: count))
    for _ in 0..<count {
      guard addSlot(type.width) else { return nil }
    }
    return base
  }

  mutating func startWord() { used = 64 }

  private mutating func addSlot(_ width: Int) -> Bool {
    if used + width > 64 {
      words += 1
      used = 0
    }
    slots.append(Slot(word: words - 1, bits: Bits(shift: used, width: width)))
    used += width
    return words <= Self.maximumWords
  }

  func variable(of slot: Int) -> Variable? { variables.first { ($0.base..<($0.base + $0.count)).contains(slot) } }

  func value(_ slot: Int, in state: some Collection<UInt64>) -> Int {
    let place = slots[slot]
    let word = state[state.index(state.startIndex, offsetBy: place.word)]
    return Int(truncatingIfNeeded: word >> UInt64(place.bits.shift)) & place.bits.limit
  }

  func set(_ slot: Int, to value: Int, in state: inout [UInt64]) {
    let place = slots[slot]
    let mask = UInt64(place.bits.limit) << UInt64(place.bits.shift)
    state[place.word] = state[place.word] & ~mask | UInt64(value) << UInt64(place.bits.shift) & mask
  }

  /// `pte[3]`
  func name(of slot: Int) -> String {
    guard let variable = variable(of: slot) else { return "slot \(slot)" }
    return variable.count == 1 ? variable.name : "\(variable.name)[\(slot - variable.base)]"
  }
}

/// What a number stands for.
indirect enum ValueType: Sendable {
  case flag
  case upTo(Int)
  case enumeration([String])
  case record(RecordType)
  case lock
  case readWriteLock

  /// Of a read-write lock held for writing; below it stand the readers.
  static let writer = 7

  var width: Int {
    switch self {
    case .flag, .lock: 1
    case .readWriteLock: 3
    case .upTo(let limit): Self.width(limit)
    case .enumeration(let names): Self.width(names.count - 1)
    case .record(let record): record.width
    }
  }

  var limit: Int {
    switch self {
    case .upTo(let limit): limit
    case .enumeration(let names): names.count - 1
    case .flag, .lock, .readWriteLock, .record: (1 << width) - 1
    }
  }

  private static func width(_ limit: Int) -> Int { max(1, Int.bitWidth - limit.leadingZeroBitCount) }

  /// A value as a reader of the kernel would write it.
  func text(_ value: Int) -> String {
    switch self {
    case .flag: value == 0 ? "0" : "1"
    case .upTo: String(value)
    case .enumeration(let names): value < names.count ? names[value] : String(value)
    case .record(let record): record.text(value)
    case .lock: value == 0 ? "free" : "held"
    case .readWriteLock: value == 0 ? "free" : value == Self.writer ? "held" : "read by \(value)"
    }
  }
}

struct RecordType: Sendable {
  struct Field: Sendable {
    var name: String
    var type: ValueType
    var bits: Bits
  }

  var name: String
  var fields: [Field] = []
  var width: Int { fields.last.map { $0.bits.shift + $0.bits.width } ?? 1 }

  func field(_ name: String) -> Field? { fields.first { $0.name == name } }

  /// Names of enumerators and set flags, then the numbers: `present page 3 w`.
  func text(_ value: Int) -> String {
    var words: [String] = []
    for field in fields {
      let part = value >> field.bits.shift & field.bits.limit
      switch field.type {
      case .flag: if part != 0 { words.append(field.name) }
      case .enumeration: words.append(field.type.text(part))
      default: if value != 0 { words.append("\(field.name) \(field.type.text(part))") }
      }
    }
    return words.joined(separator: " ")
  }
}
