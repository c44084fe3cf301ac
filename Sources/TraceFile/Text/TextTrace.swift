// SPDX-License-Identifier: GPL-2.0-only

/// Records out of ftrace text: the files `trace` and `trace_pipe`, and what `trace-cmd report` prints (also with -R).
///
/// Lines come in the order of the file. Hashed pointers are kept as numbers: good for telling objects apart, not for
/// arithmetic. What is not understood is counted under the name of its event.
struct TextTrace {
  private let region: ByteRegion
  private var offset = 0
  /// Where the payloads of the batch being filled go.
  private var arena = PayloadArena(capacity: arenaSize)
  private var pendingLoss: [UInt16: Int32] = [:]
  private(set) var lost: [UInt16: LostRecords] = [:]
  private(set) var unparsed: [String: UInt64] = [:]
  /// A line longer than this is no ftrace line.
  private static let maximumLine = 1 << 16
  private static let arenaSize = 1 << 20

  static let firstID: UInt16 = 1000
  static let formats = CanonicalEvent.all.enumerated().map { $0.element.format(id: firstID + UInt16($0.offset)) }
  private static let positions = Dictionary(
    CanonicalEvent.all.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { first, _ in first })

  init(_ region: ByteRegion) { self.region = region }

  /// Whether the beginning of the file has the head of an ftrace line in it.
  static func isText(_ region: ByteRegion) -> Bool {
    let limit = min(region.count, 1 << 18)
    var offset = 0
    while offset < limit {
      let (line, next) = Self.line(region, at: offset)
      if line.hasPrefix("# tracer:") || TextHeader(line) != nil { return true }
      if line.count > maximumLine { return false }
      offset = next
    }
    return false
  }

  mutating func fill(_ batch: inout RecordBatch) {
    if !isKnownUniquelyReferenced(&arena) { arena = PayloadArena(capacity: Self.arenaSize) }
    arena.removeAll()
    batch.retired.append(arena)
    while batch.room > 0, offset < region.count, arena.room > 2 * Self.maximumLine {
      let (line, next) = Self.line(region, at: offset)
      offset = next
      guard let record = record(line) else { continue }
      unsafe withUnsafePointer(to: record) { pointer in
        _ = unsafe batch.append(UnsafeBufferPointer(start: pointer, count: 1), upTo: .max)
      }
    }
  }

  private static func line(_ region: ByteRegion, at offset: Int) -> (TextLine, next: Int) {
    let rest = unsafe TextLine(region.bytes(offset..<region.count))
    let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.count
    return (rest[0..<end], offset + end + 1)
  }

  private mutating func record(_ line: TextLine) -> RawRecord? {
    if line.count == 0 || line.hasPrefix("#") || line.hasPrefix("cpus=") || line.hasPrefix("version =") { return nil }
    guard line.count <= Self.maximumLine, let header = TextHeader(line) else {
      noteOther(line)
      return nil
    }
    let (name, body) = Self.event(line[header.end..<line.count])
    arena.begin()
    guard let position = Self.positions[name], encode(CanonicalEvent.all[position], body, position, header) else {
      unparsed[name, default: 0] += 1
      return nil
    }
    let payload = unsafe arena.end()
    let loss = pendingLoss.removeValue(forKey: header.cpu) ?? 0
    return unsafe RawRecord(
      timestamp: header.time, payload: payload.start, length: UInt32(payload.count), lostBefore: loss, cpu: header.cpu,
      buffer: 0, swapsBytes: false)
  }

  /// Loss notes, `CPU:1 [LOST 12 EVENTS]` and trace-cmd's `CPU:1 [12 EVENTS DROPPED]`; anything else is counted.
  private mutating func noteOther(_ line: TextLine) {
    let start = line.skipSpaces(from: 0)
    guard line.hasPrefix("CPU:", at: start), let open = line.firstIndex(of: UInt8(ascii: "[")),
      let cpu = line[(start + 4)..<open].number(at: 0, radix: 10).flatMap({ UInt16(exactly: $0) })
    else {
      if start < line.count { unparsed["(no event)", default: 0] += 1 }
      return
    }
    let text = line[(open + 1)..<line.count]
    let place = text.hasPrefix("LOST ") ? 5 : 0
    let loss = text.number(at: place, radix: 10).flatMap { Int32(exactly: $0) } ?? -1
    lost[cpu, default: LostRecords()].note(loss)
    pendingLoss[cpu] = loss < 0 ? -1 : loss
  }

  /// Name and body of `NAME: BODY`, `sys_NAME(ARGUMENTS)` and `sys_NAME -> RESULT`.
  private static func event(_ text: TextLine) -> (String, TextLine) {
    var end = 0
    while end < text.count, TextLine.isWord(text[end]) { end += 1 }
    let name = text[0..<end].string
    let nothing = text[text.count..<text.count]
    guard end < text.count else { return (name, nothing) }
    if name == "tracing_mark_write" { return ("print", text[text.skipSpaces(from: end + 1)..<text.count]) }
    if text[end] == UInt8(ascii: "("), name.hasPrefix("sys_") {
      return ("sys_enter_" + name.dropFirst(4), text[(end + 1)..<text.count])
    }
    if text.hasPrefix(" -> ", at: end), name.hasPrefix("sys_") {
      return ("sys_exit_" + name.dropFirst(4), text[(end + 4)..<text.count])
    }
    let body = text[text.skipSpaces(from: min(end + 1, text.count))..<text.count]
    if name == "print", let mark = body.value(of: "tracing_mark_write") { return (name, body[mark..<body.count]) }
    return (name, body)
  }

  /// Writes the payload; `false` when a required field is not there.
  private func encode(_ event: CanonicalEvent, _ body: TextLine, _ position: Int, _ header: TextHeader) -> Bool {
    arena.append(UInt64(Self.firstID + UInt16(position)) | UInt64(UInt32(bitPattern: header.pid)) << 32)
    let unnamed = event.name == CanonicalEvent.maWrite.name ? MapleWrite(body) : nil
    for (index, field) in event.fields.enumerated() {
      if let unnamed {
        guard unnamed.append(field, to: arena) else { return false }
      } else if !append(field, of: event, body) {
        return index >= event.required
      }
    }
    return true
  }

  private func append(_ field: CanonicalEvent.Field, of event: CanonicalEvent, _ body: TextLine) -> Bool {
    var start: Int?
    for key in field.keys where start == nil { start = body.value(of: key) }
    // `sys_exit_*: 0x0` and a marker have no key in front.
    if start == nil, event.fields.count == 1, field.name == "ret" || field.name == "buf" { start = 0 }
    guard let start else { return false }
    switch field.kind {
    case .unsigned(let radix):
      guard let value = body.number(at: start, radix: radix) else { return false }
      arena.append(value)
    case .signed:
      guard let value = body.number(at: start, radix: 10) else { return false }
      arena.append(value)
    case .boolean:
      if body.hasPrefix("true", at: start) || body.hasPrefix("1", at: start) {
        arena.append(1)
      } else if body.hasPrefix("false", at: start) || body.hasPrefix("0", at: start) {
        arena.append(0)
      } else {
        return false
      }
    case .symbol(let table):
      guard let value = symbol(body[start..<body.count], table) else { return false }
      arena.append(value)
    case .flags(let table):
      let text = body[start..<(body.firstIndex(of: UInt8(ascii: " "), from: start) ?? body.count)]
      guard text.count > 0, !(text[0] >= UInt8(ascii: "0") && text[0] <= UInt8(ascii: "9")) else { return false }
      guard let value = text.string == "none" ? 0 : table.value(ofText: text.string) else { return false }
      arena.append(value)
    case .taskName:
      var end = body.count
      for other in event.fields where other.name != field.name {
        for key in other.keys {
          if let next = body.value(of: key), next - key.utf8.count - 2 >= start {
            end = min(end, next - key.utf8.count - 2)
          }
        }
      }
      arena.append(body[start..<end], padTo: 16)
    case .text(let stops):
      arena.append(body[start..<(stop(body, start, stops))], padTo: 0)
    }
    return true
  }

  /// `local MM shootdown (3)`, `MM_ANONPAGES`, `3`.
  private func symbol(_ text: TextLine, _ table: SymbolTable) -> UInt64? {
    if let number = text.number(at: 0, radix: 10) { return number }
    if let entry = table.entries.filter({ text.hasPrefix($0.name) }).max(by: { $0.name.utf8.count < $1.name.utf8.count }
    ) {
      return entry.value
    }
    return text.firstIndex(of: UInt8(ascii: "(")).flatMap { text.number(at: $0 + 1, radix: 10) }
  }

  private func stop(_ body: TextLine, _ start: Int, _ stops: [String]) -> Int {
    var index = start
    while index < body.count {
      if stops.contains(where: { body.hasPrefix($0, at: index) }) { return index }
      index += 1
    }
    return index
  }
}
