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
  /// The block that records are taken from; `nil` before the first and after the last.
  private var block: RecordBlock?
  private var spare: RecordBlock?
  private var head = 0
  private var isAtEnd = false
  /// What the block before this one was made from. The records of a batch may come from both.
  private var previous: Range<Int>?
  /// Walked and not given back yet.
  private var walked: Range<Int>?
  /// Loss in the blocks begun so far.
  private(set) var lost = LostRecords()

  init(
    _ data: CPUData, buffer: UInt8, layout: SubBufferLayout, conversion: TimeConversion, blockCapacity: Int,
    ahead: DecodeAhead?
  ) {
    cpu = data.cpu
    self.buffer = buffer
    region = data.region
    decoder = CPUDecoder(data, buffer: buffer, layout: layout, conversion: conversion)
    let capacity = max(blockCapacity, layout.maximumRecords)
    spare = RecordBlock(capacity: capacity)
    self.ahead = ahead?.lane(for: decoder, block: RecordBlock(capacity: capacity))
  }

  /// Decoded records not taken yet.
  var pending: UnsafeBufferPointer<RawRecord> {
    guard let block else { return unsafe UnsafeBufferPointer(start: nil, count: 0) }
    return unsafe UnsafeBufferPointer(rebasing: UnsafeBufferPointer(block.records)[head..<block.count])
  }

  func take(_ number: Int) { head += number }

  /// Moves on to the next records; `false` at the end. Decompressed bytes that records already handed out may still
  /// point into go to `retired`.
  func refill(damages: inout DamageLog, retired: inout [ByteRegion]) -> Bool {
    var used = block
    block = nil
    head = 0
    while true {
      if let used {
        retired.append(contentsOf: used.regions)
        giveBack(previous)
        previous = used.source
      }
      guard !isAtEnd else { return false }
      let next = nextBlock(replacing: used ?? spare)
      spare = nil
      isAtEnd = next.isLast
      lost.add(next.lost)
      for damage in next.damages { damages.add(damage) }
      if next.count > 0 {
        block = next
        return true
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
  private func giveBack(_ range: Range<Int>?) {
    guard let range else { return }
    let whole = (walked?.lowerBound ?? range.lowerBound)..<range.upperBound
    walked = whole.count < 1 << 20 ? whole : nil
    if walked == nil { region.willNotRead(whole) }
  }
}
