// SPDX-License-Identifier: GPL-2.0-only

/// One event of the kernel that recorded: name, id, fields and the names of its values.
package struct EventFormat: Sendable {
  package struct Field: Sendable {
    package var name: String
    /// The C type as declared, for display only; size and sign are in `layout`.
    package var type: String
    package var layout: FieldLayout

    package init(name: String, type: String, layout: FieldLayout) {
      self.name = name
      self.type = type
      self.layout = layout
    }
  }

  /// The subsystem (`kmem`); empty where the source does not say.
  package var system: String
  package var name: String
  /// `common_type`. Assigned at boot: never the same on two machines.
  package var id: UInt16
  /// `common_pid` and its like.
  package var commonFields: [Field]
  /// The event's own fields, in order.
  package var fields: [Field]
  /// Names of flag bits and enumerated values by field, from `__print_flags` and `__print_symbolic` of the print fmt.
  package var symbolsByField: [String: SymbolTable]

  package init(
    system: String, name: String, id: UInt16, commonFields: [Field], fields: [Field],
    symbolsByField: [String: SymbolTable]
  ) {
    self.system = system
    self.name = name
    self.id = id
    self.commonFields = commonFields
    self.fields = fields
    self.symbolsByField = symbolsByField
  }

  /// The place of a field, own or common, or `nil` when this kernel's event has none of that name.
  package func field(_ name: String) -> FieldLayout? {
    (fields.first { $0.name == name } ?? commonFields.first { $0.name == name })?.layout
  }

  /// The names of the field's values on this kernel.
  package func symbols(of field: String) -> SymbolTable? { symbolsByField[field] }
}

/// Names of values as one kernel prints them. GFP bits, counter numbers and reasons move between versions: only the
/// table of the kernel that recorded is right.
package struct SymbolTable: Equatable, Sendable {
  package enum Meaning: Sendable {
    /// `__print_flags`: entries are bit sets, larger sets first.
    case flags
    /// `__print_symbolic`: entries are values.
    case values
  }

  package struct Entry: Equatable, Sendable {
    package var value: UInt64
    package var name: String

    package init(value: UInt64, name: String) {
      self.value = value
      self.name = name
    }
  }

  package var meaning: Meaning
  package var entries: [Entry]

  package init(meaning: Meaning, entries: [Entry]) {
    self.meaning = meaning
    self.entries = entries
  }

  /// The value of a name, the first entry of that name.
  package func value(of name: String) -> UInt64? { entries.first { $0.name == name }?.value }

  /// The text the kernel prints: `A|B|0x80` for flags (the rest in hexadecimal), the name for values.
  package func text(of value: UInt64) -> String {
    switch meaning {
    case .values: return entries.first { $0.value == value }?.name ?? "0x" + String(value, radix: 16)
    case .flags:
      var rest = value
      var names: [String] = []
      for entry in entries where entry.value != 0 && rest & entry.value == entry.value {
        names.append(entry.name)
        rest &= ~entry.value
      }
      if rest != 0 { names.append("0x" + String(rest, radix: 16)) }
      return names.joined(separator: "|")
    }
  }

  /// The value behind a text such as `GFP_KERNEL|__GFP_ZERO` or `0x80`; `nil` when a name is not in the table.
  package func value(ofText text: some StringProtocol) -> UInt64? {
    var value: UInt64 = 0
    for part in text.split(separator: "|") {
      if let known = entries.first(where: { $0.name == part })?.value {
        value |= known
      } else if part.hasPrefix("0x"), let number = UInt64(part.dropFirst(2), radix: 16) {
        value |= number
      } else if let number = UInt64(part) {
        value |= number
      } else {
        return nil
      }
    }
    return value
  }
}
