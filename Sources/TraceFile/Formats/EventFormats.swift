// SPDX-License-Identifier: GPL-2.0-only

internal import Synchronization

/// The event formats of a capture. A kernel has more than two thousand; only those asked for are parsed.
package final class EventFormats: Sendable {
  /// One format file, not parsed yet.
  struct Source: Sendable {
    var system: String
    var region: ByteRegion
    var text: Range<Int>
  }

  private struct Entry {
    var system: String
    var name: String
    var id: UInt16
    var source: Source?
    var parsed: EventFormat?
  }

  private struct State {
    var entries: [Entry] = []
    var byName: [String: [Int]] = [:]
    var byID: [UInt16: Int] = [:]

    mutating func add(_ entry: Entry) {
      let index = entries.count
      byName[entry.name, default: []].append(index)
      if byID[entry.id] == nil { byID[entry.id] = index }
      entries.append(entry)
    }
  }

  private let state: Mutex<State>
  private let longSize: Int
  private let isBigEndian: Bool

  /// Looks at the first two lines of each format file and no further.
  init(sources: [Source], longSize: Int, isBigEndian: Bool) {
    self.longSize = longSize
    self.isBigEndian = isBigEndian
    var state = State()
    for source in sources {
      guard let (name, id) = Self.nameAndID(source) else { continue }
      state.add(Entry(system: source.system, name: name, id: id, source: source, parsed: nil))
    }
    self.state = Mutex(state)
  }

  /// Formats that need no parsing: those of text traces.
  init(known: [EventFormat]) {
    longSize = 8
    isBigEndian = false
    var state = State()
    for format in known {
      state.add(Entry(system: format.system, name: format.name, id: format.id, source: nil, parsed: format))
    }
    self.state = Mutex(state)
  }

  /// The format of an event, or `nil` when the recording kernel had none of that name.
  package func format(named name: String, system: String? = nil) throws(TraceFileError) -> EventFormat? {
    let index = state.withLock { state in
      state.byName[name]?.first { system == nil || state.entries[$0].system == system }
    }
    return try index.map { (index) throws(TraceFileError) in try parsed(index) }
  }

  package func format(id: UInt16) throws(TraceFileError) -> EventFormat? {
    let index = state.withLock { $0.byID[id] }
    return try index.map { (index) throws(TraceFileError) in try parsed(index) }
  }

  /// Name of the event with this id, without parsing its format.
  package func name(ofID id: UInt16) -> String? {
    state.withLock { state in state.byID[id].map { state.entries[$0].name } }
  }

  /// `system:name` of the event with this id, or `event 123` when there is none.
  package func displayName(ofID id: UInt16) -> String {
    state.withLock { state in
      guard let entry = state.byID[id].map({ state.entries[$0] }) else { return "event \(id)" }
      return entry.system.isEmpty ? entry.name : "\(entry.system):\(entry.name)"
    }
  }

  /// Id of the event of this name, without parsing its format.
  package func id(ofName name: String, system: String? = nil) -> UInt16? {
    state.withLock { state in
      state.byName[name]?.first { system == nil || state.entries[$0].system == system }.map { state.entries[$0].id }
    }
  }

  /// `system:name` of every event, in file order.
  package var names: [String] {
    state.withLock { state in state.entries.map { $0.system.isEmpty ? $0.name : "\($0.system):\($0.name)" } }
  }

  /// The texts of those that are wanted, in file order.
  func texts(
    where isWanted: (_ system: String, _ name: String) -> Bool
  ) -> [(system: String, text: [UInt8])] {
    state.withLock { $0.entries }.compactMap { entry in
      guard let source = entry.source, isWanted(entry.system, entry.name) else { return nil }
      return (entry.system, unsafe Array(source.region.bytes(source.text)))
    }
  }

  private func parsed(_ index: Int) throws(TraceFileError) -> EventFormat {
    let entry = state.withLock { $0.entries[index] }
    if let format = entry.parsed { return format }
    guard let source = entry.source else { preconditionFailure("event \(entry.name) has neither text nor format") }
    let text = unsafe source.region.bytes(source.text)
    switch unsafe FormatParser.parse(text, system: entry.system, longSize: longSize, isBigEndian: isBigEndian) {
    case .success(let format):
      state.withLock { $0.entries[index].parsed = format }
      return format
    case .failure(let refusal):
      throw source.region.error(
        at: source.text.lowerBound, .formatRejected(event: entry.name, message: refusal.message))
    }
  }

  /// `name: X` and `ID: N` of the first two lines; `nil` when they are not there.
  private static func nameAndID(_ source: Source) -> (String, UInt16)? {
    let head = unsafe TextLine(source.region.bytes(source.text))
    guard head.hasPrefix("name: "), let nameEnd = head.firstIndex(of: UInt8(ascii: "\n")),
      head.hasPrefix("ID: ", at: nameEnd + 1), let number = head.number(at: nameEnd + 5, radix: 10),
      let id = UInt16(exactly: number)
    else { return nil }
    return (head[6..<nameEnd].string, id)
  }
}
