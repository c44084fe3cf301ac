// SPDX-License-Identifier: GPL-2.0-only

/// The records of one CPU of one buffer, in order.
@safe
final class CPUStream {
  let cpu: UInt16
  let buffer: UInt8
  private let region: ByteRegion
  private let decoder: CPUDecoder
  /// Decodes the next block while this one is used; without it, blocks are decoded when they are wanted.
  private let ahead: DecodeAhead.Lane?
  /// The block whose records were handed out last; `nil` before the first and after the last.
  private var block: RecordBlock?
  private var spare: RecordBlock?
  private var isAtEnd = false
  /// Walked and not given back yet.
  private var walked: Range<Int>?
  /// Loss in the blocks begun so far.
  private(set) var lost = LostRecords()
  /// It is at its end, though there was more: records are missing from here on.
  private(set) var endsEarly = false

  init(
    _ data: CPUData, buffer: UInt8, layout: SubBufferLayout, conversion: TimeConversion, blockCapacity: Int,
    ahead: DecodeAhead?
  ) {
    cpu = data.cpu
    self.buffer = buffer
    region = data.region
    decoder = CPUDecoder(data, buffer: buffer, layout: layout, conversion: conversion)
    spare = RecordBlock(capacity: blockCapacity)
    self.ahead = ahead?.lane(for: decoder, block: RecordBlock(capacity: blockCapacity))
  }

  /// The next records, or `nil` at the end. They are there until the next call; what they point into is there until
  /// then too, and lives on in `retired` after that.
  func next(damages: inout DamageLog, retired: inout [AnyObject]) -> UnsafeBufferPointer<RawRecord>? {
    var used = block
    block = nil
    while true {
      if let used {
        for region in used.regions { retired.append(region) }
        if let source = used.source { giveBack(source, to: &retired) }
      }
      guard !isAtEnd else { return nil }
      let next = nextBlock(replacing: used ?? spare)
      spare = nil
      isAtEnd = next.isLast
      endsEarly = next.endsEarly
      lost.add(next.lost)
      for damage in next.damages { damages.add(damage) }
      if next.count > 0 {
        block = next
        return unsafe UnsafeBufferPointer(rebasing: UnsafeBufferPointer(next.records)[..<next.count])
      }
      used = next
    }
  }

  private func nextBlock(replacing used: RecordBlock?) -> RecordBlock {
    guard let used else { preconditionFailure("a stream without a block to fill") }
    if let ahead { return ahead.exchange(used) }
    decoder.decode(into: used)
    return used
  }

  /// Once per megabyte: changing a mapping costs more than a sub-buffer's worth of it.
  private func giveBack(_ range: Range<Int>, to retired: inout [AnyObject]) {
    let whole = (walked?.lowerBound ?? range.lowerBound)..<range.upperBound
    walked = whole.count < 1 << 20 ? whole : nil
    if walked == nil { retired.append(WalkedBytes(region: region, range: whole)) }
  }
}

/// Mapped bytes that leave memory together with this object. Who reads them later brings them back for good.
private final class WalkedBytes {
  private let region: ByteRegion
  private let range: Range<Int>

  init(region: ByteRegion, range: Range<Int>) {
    self.region = region
    self.range = range
  }

  deinit { region.willNotRead(range) }
}
