// SPDX-License-Identifier: GPL-2.0-only

/// Merges the CPUs of all buffers by time.
///
/// Assumption about the data: the records of one CPU are in order of time, and for a while no more than two CPUs are
/// busy. So the two earliest heads are merged until one of them passes the third. Where a CPU's time does go backwards
/// (damage), records keep their file order.
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
  /// Streams that had records, in the same order.
  private var heads: [Head] = []
  /// The heads that have records left, as a binary heap: no head precedes its parent's.
  private var queue: [Int] = []
  private(set) var damages = DamageLog()
  /// CPUs whose records are missing from the beginning.
  private var missingAtFirst: [CPUStream] = []

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
          blockCapacity: min(max(capacity, blockUsedAtOnce), data.storage.maximumRecords), ahead: ahead)
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
    // Only blocks without records come to an end here.
    var retired: [AnyObject] = []
    for stream in streams {
      if let pending = unsafe stream.next(damages: &damages, retired: &retired) {
        unsafe heads.append(Head(stream, pending))
        if unsafe pending[0].lostBefore != 0 { missingAtFirst.append(stream) }
      } else if stream.endsEarly {
        missingAtFirst.append(stream)
      }
    }
    queue = heads.indices.sorted { precedes($0, $1) }
  }

  /// Adds records to the batch until it is full or nothing is left.
  mutating func fill(_ batch: inout RecordBatch) {
    for stream in missingAtFirst { batch.markLoss(on: stream.cpu, of: stream.buffer) }
    missingAtFirst.removeAll()
    while batch.room > 0, let first = queue.first {
      let end = timeOfThird
      guard let place = placeOfSecond, heads[first].time < end else {
        drop(unsafe batch.append(heads[first].pending, upTo: bound(of: first)), at: 0, &batch)
        continue
      }
      let second = queue[place]
      let (low, high) = (min(first, second), max(first, second))
      let taken = unsafe batch.append(merging: heads[low].pending, heads[high].pending, before: end)
      // The parent last: what is below it is in order then.
      drop(second == low ? taken.a : taken.b, at: place, &batch)
      drop(first == low ? taken.a : taken.b, at: 0, &batch)
    }
  }

  /// The head at this place of the queue was taken from: it goes on, or leaves the queue, and its place is put right.
  private mutating func drop(_ count: Int, at place: Int, _ batch: inout RecordBatch) {
    let head = queue[place]
    if !heads[head].drop(count) {
      let stream = heads[head].stream
      if let pending = unsafe stream.next(damages: &damages, retired: &batch.retired) {
        unsafe heads[head] = Head(stream, pending)
        if unsafe pending[0].lostBefore != 0 { batch.markLoss(on: stream.cpu, of: stream.buffer) }
      } else {
        if stream.endsEarly { batch.markLoss(on: stream.cpu, of: stream.buffer) }
        queue.swapAt(place, queue.count - 1)
        queue.removeLast()
      }
    }
    sink(from: place)
  }

  /// At equal times the earlier stream goes first.
  @inline(__always)
  private func precedes(_ a: Int, _ b: Int) -> Bool {
    let (timeOfA, timeOfB) = (heads[a].time, heads[b].time)
    return timeOfA < timeOfB || timeOfA == timeOfB && a < b
  }

  /// Where the head is that precedes all but the first.
  private var placeOfSecond: Int? {
    guard queue.count > 1 else { return nil }
    return queue.count > 2 && precedes(queue[2], queue[1]) ? 2 : 1
  }

  /// Records of the first two heads come before all others as long as they are earlier than this.
  private var timeOfThird: UInt64 {
    // The third is one of the root's children, or a child of one of these.
    guard let second = placeOfSecond else { return .max }
    let (sibling, child) = (3 - second, 2 * second + 1)
    return min(time(at: sibling), time(at: child), time(at: child + 1))
  }

  private func time(at place: Int) -> UInt64 { place < queue.count ? heads[queue[place]].time : .max }

  /// The last time up to which the first head's records come before all others.
  private func bound(of first: Int) -> UInt64 {
    guard let place = placeOfSecond else { return .max }
    // An earlier stream's time is later, so 1 can be subtracted.
    let second = queue[place]
    return first < second ? heads[second].time : heads[second].time - 1
  }

  /// Puts the entry of the queue where it belongs, behind those it does not precede.
  private mutating func sink(from start: Int) {
    var place = start
    while true {
      var child = 2 * place + 1
      guard child < queue.count else { return }
      if child + 1 < queue.count, precedes(queue[child + 1], queue[child]) { child += 1 }
      guard precedes(queue[child], queue[place]) else { return }
      queue.swapAt(place, child)
      place = child
    }
  }
}
