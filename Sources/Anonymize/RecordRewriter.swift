// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Normalize
import TraceFile

/// The second walk: makes each record anew from zeros.
struct RecordRewriter {
  let plans: RecordPlans
  let machine: Machine
  let addresses: AddressMap
  let frames: FrameMap
  let pointers: Numbering
  let hashes: Numbering
  let names: Pseudonyms

  /// `false`: the record is of an event that nobody knows here.
  func write(_ record: RawRecord, into payload: UnsafeMutableRawBufferPointer) -> Bool {
    guard let plan = plans.plan(of: record) else { return false }
    for step in plan.steps {
      switch step {
      case .field(let layout, .name):
        unsafe write(layout.loadString(from: record).map(names.name) ?? "", record, layout, payload)
      case .field(let layout, .marker):
        unsafe write(Self.ownMarker(layout.loadString(from: record) ?? ""), record, layout, payload)
      case .field(let layout, let treatment):
        if let value = layout.loadUInt64(from: record) {
          unsafe store(number(value, treatment), layout, payload)
        }
      case .range(let start, let length, _):
        guard let from = start.loadUInt64(from: record), let count = length.loadUInt64(from: record) else { break }
        unsafe store(addresses.address(from), start, payload)
        unsafe store(addresses.length(from: from, count), length, payload)
      case .tree(let first, let last, let value):
        for place in [first, last] {
          if let index = place.loadUInt64(from: record) { unsafe store(addresses.address(index), place, payload) }
        }
        if let written = value.loadUInt64(from: record) { unsafe store(Self.treeEntry(written), value, payload) }
      case .structPage(let page, let base):
        // From 0 on: where the kernel has them is nobody's business. What is none stays none.
        guard let pointer = page.loadUInt64(from: record), let start = base.loadUInt64(from: record) else { break }
        let frame = StructPage.frame(ofPage: pointer, base: start).map(frames.frame)
        unsafe store(frame.flatMap { $0 < FrameMap.end ? $0 << 6 : nil } ?? 1, page, payload)
      }
    }
    return true
  }

  private func number(_ value: UInt64, _ treatment: Treatment) -> UInt64 {
    switch treatment {
    case .kept: value
    case .address: addresses.address(value)
    case .page: addresses.page(value)
    // Calls come back with errors down to -4095.
    case .mappedAddress: value >= UInt64(bitPattern: -4095) ? value : addresses.address(value)
    case .frame: frames.frame(value)
    case .migrationEntry: RawEntry(raw: value, machine: machine).migration(withFrame: frames.frame) ?? 0
    case .presentEntry: RawEntry(raw: value, machine: machine).present(withFrame: frames.frame) ?? 0
    case .pointer: pointers[value]
    case .hashedPointer: hashes[value]
    case .name, .marker, .range, .mapping, .tree, .structPage: 0
    }
  }

  /// Nothing, something (`XA_ZERO_ENTRY`), or a VMA.
  private static func treeEntry(_ value: UInt64) -> UInt64 {
    value == 0 ? 0 : value >> 63 == 1 ? 0xffff_8000_0000_0000 : 0x406
  }

  /// A marker of the recorder's, or nothing: what others write may say anything.
  static func ownMarker(_ text: String) -> String {
    let words = text.split(whereSeparator: { $0 == " " || $0 == "\n" })
    let known: Set<Substring> = ["snapshot", "begin", "end", "threads", "collector"]
    guard words.first == "cowscope", words.dropFirst().allSatisfy({ known.contains($0) || Int32($0) != nil })
    else { return "" }
    return words.joined(separator: " ") + "\n"
  }

  // — storing

  private func store(_ value: UInt64, _ layout: FieldLayout, _ payload: UnsafeMutableRawBufferPointer) {
    guard layout.kind == .scalar, Int(layout.offset) + Int(layout.size) <= payload.count else { return }
    unsafe withUnsafeBytes(of: value.littleEndian) { bytes in
      for index in 0..<Int(layout.size) { unsafe payload[Int(layout.offset) + index] = bytes[index] }
    }
  }

  /// As much of the text as there is room for, and the NUL; where the text is found stays what it was.
  private func write(
    _ text: String, _ record: RawRecord, _ layout: FieldLayout, _ payload: UnsafeMutableRawBufferPointer
  ) {
    guard let old = unsafe layout.loadBytes(from: record), let base = old.baseAddress else { return }
    let start = unsafe base - record.payload
    // The head of the record is no text, whatever its format says.
    guard start >= 8, start + old.count <= payload.count else { return }
    if layout.kind == .dataLocation || layout.kind == .relativeLocation {
      let word = unsafe (record.payload + Int(layout.offset)).loadUnaligned(as: UInt32.self)
      unsafe payload.storeBytes(of: word, toByteOffset: Int(layout.offset), as: UInt32.self)
    }
    for (index, byte) in text.utf8.prefix(max(0, old.count - 1)).enumerated() { unsafe payload[start + index] = byte }
  }
}
