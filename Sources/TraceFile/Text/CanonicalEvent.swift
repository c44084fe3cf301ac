// SPDX-License-Identifier: GPL-2.0-only

/// An event as text traces are turned into: our own layout, since text says nothing of the kernel's.
///
/// The payload has the common fields as the kernel has them today, then one slot per field in the order of `fields`:
/// eight bytes for a number, sixteen for a task name, the rest of the payload for text. Fields from `required` on may
/// be missing in some forms of the text; the payload then ends before the first missing one, so that loading it gives
/// `nil`.
struct CanonicalEvent {
  struct Field {
    enum Kind {
      case unsigned(radix: UInt64)
      case signed
      /// `true`, `false`, 0 or 1.
      case boolean
      /// A name of the table, its number in parentheses, or a number.
      case symbol(SymbolTable)
      /// Names and numbers joined by `|`.
      case flags(SymbolTable)
      /// 16 bytes.
      case taskName
      /// Text up to one of these bytes or words, or to the end of the line. It must be the last field.
      case text(until: [String])
    }

    var name: String
    /// The words in front of the value, in the order of preference.
    var keys: [String]
    var kind: Kind

    init(_ name: String, _ kind: Kind, keys: [String] = []) {
      self.name = name
      self.kind = kind
      self.keys = [name] + keys
    }

    var slot: Int {
      switch kind {
      case .unsigned, .signed, .boolean, .symbol, .flags: 8
      case .taskName: 16
      case .text: 0
      }
    }
  }

  var system: String
  var name: String
  var fields: [Field]
  /// How many of `fields` must be found.
  var required: Int
  /// Whether it counts as loss when a line of the event cannot be read.
  var matters = true

  init(_ system: String, _ name: String, _ fields: [Field], optional: [Field] = []) {
    self.system = system
    self.name = name
    self.fields = fields + optional
    required = fields.count
  }

  /// The same, of which nothing is concluded.
  var asideOfTheModel: CanonicalEvent {
    var event = self
    event.matters = false
    return event
  }

  static let commonFields: [EventFormat.Field] = [
    ("common_type", "unsigned short", 0, 2, false), ("common_flags", "unsigned char", 2, 1, false),
    ("common_preempt_count", "unsigned char", 3, 1, false), ("common_pid", "int", 4, 4, true),
  ].map { name, type, offset, size, isSigned in
    EventFormat.Field(
      name: name, type: type,
      layout: FieldLayout(offset: offset, size: size, elementSize: size, isSigned: isSigned, kind: .scalar))
  }

  func format(id: UInt16) -> EventFormat {
    var offset: UInt32 = 8
    var symbols: [String: SymbolTable] = [:]
    let own = fields.map { field in
      let slot = UInt32(field.slot)
      var layout = FieldLayout(offset: offset, size: slot, elementSize: slot, isSigned: false, kind: .scalar)
      switch field.kind {
      case .unsigned, .boolean: break
      case .signed: layout.isSigned = true
      case .symbol(let table), .flags(let table): symbols[field.name] = table
      case .taskName, .text:
        layout.kind = .array
        layout.elementSize = 1
      }
      offset += slot
      return EventFormat.Field(name: field.name, type: slot == 8 ? "u64" : "char", layout: layout)
    }
    return EventFormat(
      system: system, name: name, id: id, commonFields: Self.commonFields, fields: own, symbolsByField: symbols)
  }
}
