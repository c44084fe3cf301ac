// SPDX-License-Identifier: GPL-2.0-only

/// Merges the CPUs of all buffers by time.
///
/// Assumption about the data: the records of one CPU are in order of time, and a CPU that runs produces many in a row
/// before another's turn. So the merge works by runs: it takes from the CPU with the earliest head until that passes
/// the next CPU's head. Where a CPU's time does go backwards (damage), records keep their file order.
@safe
struct MergedStreams {
  /// The records of one stream that were decoded and not taken yet; there is one at least.
  @safe
  private struct Head {
    let stream: CPUStream
    var time: UInt64
    var pending: UnsafeBufferPointer<RawRecord>

    init(_ stream: CPUStream, _ pending: UnsafeBufferPointer<RawRecord>) {
      self.stream = stream
      unsafe self.pending = pending
      unsafe time = pending[0].timestamp
    }

    /// `false` when none are left.
    mutating func drop(_ count: Int) -> Bool {
      unsafe pending = UnsafeBufferPointer(rebasing: pending[count...])
      guard let next = unsafe pending.first else { return false }
      time = next.timestamp
      return true
    }
  }

  /// Every stream, ordered by (buffer, CPU): the position is the tie break.
  private(set) var streams: [CPUStream]
  /// Streams that have records, in the same order.
  private var heads: [Head] = []
  private(set) var damages = DamageLog()
  /// Decompressed bytes the current batch may still point into.
  private var retired: [ByteRegion] = []

  /// The walk over each CPU, in order of (buffer, CPU).
  static func streams(_ buffers: [BufferData], conversion: TimeConversion) -> [CPUStream] {
    let count = buffers.reduce(0) { $0 + $1.cpus.count }
    let isCompressed = buffers.contains { $0.cpus.contains { $0.storage.isCompressed } }
    let ahead = isCompressed ? DecodeAhead(threads: DecodeAhead.threadCount(streams: count)) : nil
    let capacity = ahead == nil ? blockUsedAtOnce : min(aheadMemory / max(count, 1), blockWorthAWake)
    return buffers.enumerated().flatMap { index, buffer in
      buffer.cpus.sorted { $0.cpu < $1.cpu }.map { data in
        CPUStream(
          data, buffer: UInt8(index), layout: buffer.layout, conversion: conversion,
          blockCapacity: max(capacity, blockUsedAtOnce), ahead: ahead)
      }
    }
  }

  /// Records of a block that is decoded when it is wanted: half of a CPU's first-level cache.
  private static let blockUsedAtOnce = 512
  /// Records of a block that is decoded by another thread.
  private static let blockWorthAWake = 16_384
  /// Records decoded ahead for all streams together: twice this is 32 MiB.
  private static let aheadMemory = 1 << 19

  init(_ buffers: [BufferData], conversion: TimeConversion) {
    streams = Self.streams(buffers, conversion: conversion)
    for stream in streams {
      if let pending = unsafe stream.next(damages: &damages, retired: &retired) {
        unsafe heads.append(Head(stream, pending))
      }
    }
  }

  /// Adds records to the batch until it is full or nothing is left.
  mutating func fill(_ batch: inout RecordBatch) {
    retired.removeAll(keepingCapacity: true)
    while batch.room > 0, !heads.isEmpty {
      let (first, bound) = nextRun()
      let taken = unsafe batch.append(heads[first].pending, upTo: bound)
      if heads[first].drop(taken) { continue }
      let stream = heads[first].stream
      if let pending = unsafe stream.next(damages: &damages, retired: &retired) {
        unsafe heads[first] = Head(stream, pending)
      } else {
        heads.remove(at: first)
      }
    }
  }

  /// The stream with the earliest head, and the last time up to which it comes before all others.
  private func nextRun() -> (stream: Int, bound: UInt64) {
    var first = 0
    var firstTime = heads[0].time
    var second = Int.max
    var secondTime = UInt64.max
    for index in 1..<max(heads.count, 1) {
      let time = heads[index].time
      if time < firstTime {
        (second, secondTime) = (first, firstTime)
        (first, firstTime) = (index, time)
      } else if time < secondTime {
        (second, secondTime) = (index, time)
      }
    }
    // At equal times the earlier stream goes first; `secondTime` is above `firstTime` whenever 1 is subtracted.
    return (first, first < second ? secondTime : secondTime - 1)
  }
}
