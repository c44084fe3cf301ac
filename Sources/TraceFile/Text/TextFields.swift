// SPDX-License-Identifier: GPL-2.0-only

/// The fields of one event, read out of its text.
struct TextFields {
  private let event: CanonicalEvent
  private let body: TextLine
  private let unnamed: MapleWrite?

  init(_ event: CanonicalEvent, _ body: TextLine) {
    self.event = event
    self.body = body
    unnamed = event.name == CanonicalEvent.maWrite.name ? MapleWrite(body) : nil
  }

  /// Appends them all to the payload; why one that is required could not be.
  func append(to arena: PayloadArena) -> TextAccount.Reason? {
    var followsName = false
    for (index, field) in event.fields.enumerated() {
      let reason: TextAccount.Reason?
      if let unnamed {
        reason = unnamed.append(field, to: arena) ? nil : .badValue(field: field.name)
      } else {
        reason = append(field, followsName, to: arena)
      }
      if let reason { return index < event.required ? reason : nil }
      if case .taskName = field.kind { followsName = true }
    }
    return nil
  }

  /// A task may call itself what looks like another field: what stands behind its name is looked for from the end.
  private func place(_ field: CanonicalEvent.Field, _ followsName: Bool) -> Int? {
    for key in field.keys {
      if let place = followsName ? body.lastValue(of: key) : body.value(of: key) { return place }
    }
    // `sys_exit_*: 0x0` and a marker have no key in front.
    return event.fields.count == 1 && (field.name == "ret" || field.name == "buf") ? 0 : nil
  }

  private func append(
    _ field: CanonicalEvent.Field, _ followsName: Bool, to arena: PayloadArena
  ) -> TextAccount.Reason? {
    guard let start = place(field, followsName) else { return .missing(field: field.name) }
    let value: UInt64?
    switch field.kind {
    case .unsigned(let radix): value = body.number(at: start, radix: radix)
    case .signed: value = body.number(at: start, radix: 10)
    case .boolean: value = boolean(at: start)
    case .symbol(let table): value = symbol(body[start..<body.count], table)
    case .flags(let table):
      value = flags(body[start..<(body.firstIndex(of: UInt8(ascii: " "), from: start) ?? body.count)], table)
    case .taskName:
      arena.append(body[start..<endOfName(field, from: start)], padTo: 16)
      return nil
    case .text(let stops):
      arena.append(body[start..<stop(start, stops)], padTo: 0)
      return nil
    }
    guard let value else { return .badValue(field: field.name) }
    arena.append(value)
    return nil
  }

  private func boolean(at start: Int) -> UInt64? {
    if body.hasPrefix("true", at: start) || body.hasPrefix("1", at: start) { return 1 }
    return body.hasPrefix("false", at: start) || body.hasPrefix("0", at: start) ? 0 : nil
  }

  /// `local MM shootdown (3)`, `MM_ANONPAGES`, `3`.
  private func symbol(_ text: TextLine, _ table: SymbolTable) -> UInt64? {
    if let number = text.number(at: 0, radix: 10) { return number }
    let named = table.entries.filter { text.hasPrefix($0.name) }
    if let entry = named.max(by: { $0.name.utf8.count < $1.name.utf8.count }) { return entry.value }
    return text.firstIndex(of: UInt8(ascii: "(")).flatMap { text.number(at: $0 + 1, radix: 10) }
  }

  /// `GFP_KERNEL|__GFP_ZERO`, `0x140cca`, or both. The numbers are those of `gfp_types.h`, which have not moved since
  /// 4.20. A single bit of a name that is not known is none that is asked for; a set of them might hold one.
  private func flags(_ text: TextLine, _ table: SymbolTable) -> UInt64? {
    let words = text.string
    if words == "none" { return 0 }
    guard !words.isEmpty else { return nil }
    var value: UInt64 = 0
    for word in words.split(separator: "|", omittingEmptySubsequences: false) {
      if let known = table.value(of: String(word)) {
        value |= known
      } else if word.hasPrefix("0x"), let number = UInt64(word.dropFirst(2), radix: 16) {
        value |= number
      } else if let number = UInt64(word) {
        value |= number
      } else if !word.hasPrefix("__GFP_") {
        return nil
      }
    }
    return value
  }

  private func endOfName(_ field: CanonicalEvent.Field, from start: Int) -> Int {
    var end = body.count
    for other in event.fields where other.name != field.name {
      for key in other.keys {
        if let next = body.value(of: key), next - key.utf8.count - 2 >= start {
          end = min(end, next - key.utf8.count - 2)
        }
      }
    }
    return end
  }

  private func stop(_ start: Int, _ stops: [String]) -> Int {
    var index = start
    while index < body.count {
      if stops.contains(where: { body.hasPrefix($0, at: index) }) { return index }
      index += 1
    }
    return index
  }
}
