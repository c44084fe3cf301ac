// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import TraceFile

/// Changes to the records of a real trace, as bytes: the base, then twelve for each.
///
///     u8 what   u8 field   u16 -   u32 record   u32 number: another record, or an edge
///
/// So whatever changes bytes makes traces whose every record can be read and none needs make sense.
final class RecordEdits {
  private final class Base {
    let reader: TraceReader
    /// In the order in which they are written anew.
    var payloads: [[UInt8]] = []
    var byEvent: [UInt16: [Int]] = [:]
    /// The directory that the trace is put into, or `nil`.
    let capture: String?

    init(_ path: String, capture: String?, scratch: String) throws {
      reader = try TraceFile.open(path)
      self.capture = capture
      _ = try unsafe reader.rewrite(to: scratch, RecordEdits.keepsAll) { record, _ in
        byEvent[record.eventID, default: []].append(payloads.count)
        payloads.append(unsafe Array(record.bytes))
        return true
      }
    }
  }

  private static let keepsAll = TraceRewriting(keepsFormat: { _, _ in true }, bufferName: { $0 })
  private let scratch: FuzzScratch
  private var bases: [Int: Base] = [:]
  static let names = [
    "captures/6.18-shell", "captures/6.12-tour", "captures/6.1-tour", "captures/6.12-two-nodes",
    "captures/6.12-arm64-tour.dat", "captures/6.12-arm64-two-nodes.dat", "tracefile/shell.dat",
  ]

  init(_ scratch: FuzzScratch) { self.scratch = scratch }

  /// Numbers at which something changes.
  private static let edges: [UInt64] =
    ([0, 9, 10, 12, 21, 30, 31, 32, 34, 39, 46, 47, 52, 56, 63] as [UInt64])
    .flatMap { bit in [(1 as UInt64) << bit, ((1 as UInt64) << bit) &- 1] } + [0, .max, .max - 4094, 0x7fff_ffff_f000]

  private func base(_ number: Int) throws -> Base {
    if let known = bases[number] { return known }
    let name = Self.names[number]
    let isDirectory = !name.hasSuffix(".dat")
    let capture = isDirectory ? try scratch.capture(String(name.dropFirst("captures/".count))) : nil
    let made = try Base(scratch.fixtures + "/" + name, capture: capture, scratch: scratch.path("edited.dat"))
    bases[number] = made
    return made
  }

  func run(_ bytes: [UInt8]) throws {
    guard let first = bytes.first else { return }
    let base = try base(Int(first) % Self.names.count)
    guard !base.payloads.isEmpty else { return }
    var edited: [Int: [UInt8]?] = [:]
    var place = 1
    while place + 12 <= bytes.count, place < 1 + 12 * 256 {
      edit(base, Array(bytes[place..<(place + 12)]), &edited)
      place += 12
    }
    var next = 0
    let path = base.capture.map { $0 + "/trace.dat" } ?? scratch.path("edited.dat")
    var rewriting = Self.keepsAll
    rewriting.uname = base.reader.metadata.kernel
    _ = try unsafe base.reader.rewrite(to: path, rewriting) { record, payload in
      defer { next += 1 }
      guard let change = edited[next] else {
        unsafe payload.copyMemory(from: record.bytes)
        return true
      }
      guard let change else { return false }
      unsafe payload.copyBytes(from: change.prefix(payload.count))
      return true
    }
    try FuzzTarget.analyze(base.capture ?? path, to: scratch)
  }

  private func edit(_ base: Base, _ words: [UInt8], _ edited: inout [Int: [UInt8]?]) {
    func number(_ start: Int) -> Int { (0..<4).reduce(0) { $0 | Int(words[start + $1]) << (8 * $1) } }
    let index = number(4) % base.payloads.count
    guard var payload = edited[index] ?? base.payloads[index] else { return }
    let id = UInt16(payload[0]) | UInt16(payload[1]) << 8
    let alike = base.byEvent[id] ?? []
    let other = alike.isEmpty ? payload : base.payloads[alike[number(8) % alike.count]]
    switch words[0] % 8 {
    case 0:
      edited[index] = .some(nil)
      return
    case 1: payload = other
    // Any record's, of another event too.
    case 2: payload = base.payloads[number(8) % base.payloads.count]
    // Another task did it.
    case 3: copy(4..<8, from: base.payloads[number(8) % base.payloads.count], to: &payload)
    case 4: field(words[1], id, base) { copy($0, from: other, to: &payload) }
    default:
      field(words[1], id, base) { range in
        let value = words[0] % 8 == 7 ? UInt64(number(8)) : Self.edges[number(8) % Self.edges.count]
        for (offset, place) in range.enumerated() where place < payload.count && offset < 8 {
          payload[place] = UInt8(truncatingIfNeeded: value >> UInt64(8 * offset))
        }
      }
    }
    edited[index] = payload
  }

  private func field(_ number: UInt8, _ id: UInt16, _ base: Base, _ body: (Range<Int>) -> Void) {
    guard let format = try? base.reader.formats.format(id: id), !format.fields.isEmpty else { return }
    let layout = format.fields[Int(number) % format.fields.count].layout
    body(Int(layout.offset)..<Int(layout.offset + layout.size))
  }

  private func copy(_ range: Range<Int>, from other: [UInt8], to payload: inout [UInt8]) {
    for place in range where place < min(other.count, payload.count) { payload[place] = other[place] }
  }
}
