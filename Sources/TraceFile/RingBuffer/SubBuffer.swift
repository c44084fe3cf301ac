// SPDX-License-Identifier: GPL-2.0-only

internal import CPrefetch

/// Decodes the records of one sub-buffer where they lie. Mirrors the kernel's `rb_advance_iter`/`rb_fix_abs_ts` and
/// libtraceevent's `kbuffer`.
///
/// A record begins with one word: `type_len` (5 bits) and `delta` (27 bits).
///
///     type_len   meaning                          bytes             time
///     1...28     data, 4 * type_len payload       4 + 4 * type_len  += delta
///     0          data, length in the next word    4 + align4(L)     += delta
///     29         delta 0: end of the sub-buffer
///     29         discarded record                 4 + L             += delta
///     30         time extend                      8                 += delta + (word << 27)
///     31         absolute time                    8                 = delta + (word << 27), 59 bits
package enum SubBuffer {
  /// What came out of one sub-buffer.
  package struct Content: Equatable {
    /// Records written, all of them intact.
    package var count = 0
    /// What was lost before the first record: 0 none, -1 unknown how many.
    package var lostBefore: Int32 = 0
    /// The first thing that is wrong, and its offset in the sub-buffer; records after it were not decoded.
    package var damage: (offset: Int, what: RecordDamage)?
    /// Where to go on when there was no room for the rest; whatever is wrong there is told then.
    package var rest: Rest?

    package static func == (a: Content, b: Content) -> Bool {
      a.count == b.count && a.lostBefore == b.lostBefore && a.rest == b.rest && a.damage?.offset == b.damage?.offset
        && a.damage?.what == b.damage?.what
    }
  }

  /// A place between two records, and the time there.
  package struct Rest: Equatable {
    package var offset: Int
    package var time: UInt64
  }

  /// The stamp of the sub-buffer, if it holds records, and what was lost before it.
  package static func head(_ bytes: UnsafeRawBufferPointer, layout: SubBufferLayout) -> (
    stamp: UInt64?, lostBefore: Int32
  ) {
    layout.isBigEndian == isBigEndianHost
      ? unsafe head(bytes, layout, NativeOrder.self) : unsafe head(bytes, layout, SwappedOrder.self)
  }

  private static func head<Order: WordOrder>(
    _ bytes: UnsafeRawBufferPointer, _ layout: SubBufferLayout, _: Order.Type
  ) -> (stamp: UInt64?, lostBefore: Int32) {
    guard let base = bytes.baseAddress, bytes.count >= layout.dataOffset else { return (nil, 0) }
    let commit = unsafe commit(base, layout, Order.self)
    let stamp = commit & 0x3fff_ffff == 0 ? nil : unsafe Order.word64(base)
    return (stamp, unsafe loss(commit, bytes, layout, Order.self))
  }

  /// The flags are 32-bit signed constants in the kernel: on 64-bit the stored word is sign extended.
  @inline(__always)
  private static func commit<Order: WordOrder>(
    _ base: UnsafeRawPointer, _ layout: SubBufferLayout, _: Order.Type
  ) -> UInt32 {
    layout.commitSize == 8
      ? UInt32(truncatingIfNeeded: unsafe Order.word64(base + 8)) : unsafe Order.word32(base + 8)
  }

  /// Decodes `bytes` (a whole sub-buffer, or the beginning of one that the file cuts off) into `records` until they are
  /// full, from the beginning or from where the last call left off.
  ///
  /// `lostBefore` of the records is 0; the caller puts `Content.lostBefore` on the first record of the CPU that
  /// follows, because an empty sub-buffer may carry the flag.
  package static func decode(
    _ bytes: UnsafeRawBufferPointer, layout: SubBufferLayout, cpu: UInt16, buffer: UInt8, from rest: Rest? = nil,
    into records: UnsafeMutableBufferPointer<RawRecord>
  ) -> Content {
    precondition(records.count > 0, "no room for a record")
    return layout.isBigEndian == isBigEndianHost
      ? unsafe decode(bytes, layout, cpu, buffer, rest, records, NativeOrder.self)
      : unsafe decode(bytes, layout, cpu, buffer, rest, records, SwappedOrder.self)
  }

  @inline(__always)
  private static func decode<Order: WordOrder>(
    _ bytes: UnsafeRawBufferPointer, _ layout: SubBufferLayout, _ cpu: UInt16, _ buffer: UInt8, _ rest: Rest?,
    _ records: UnsafeMutableBufferPointer<RawRecord>, _: Order.Type
  ) -> Content {
    var content = Content()
    guard let base = bytes.baseAddress, let out = records.baseAddress, bytes.count >= layout.dataOffset else {
      content.damage = (0, .headerCut)
      return content
    }
    let commit = unsafe commit(base, layout, Order.self)
    let committed = Int(commit & 0x3fff_ffff)
    content.lostBefore = unsafe loss(commit, bytes, layout, Order.self)
    guard committed <= layout.capacity else {
      content.damage = (8, .commitBeyondCapacity(UInt64(committed)))
      return content
    }
    var end = layout.dataOffset + committed
    if end > bytes.count {
      end = bytes.count
      content.damage = (end, .cut)
    }

    let origin = RawRecord.origin(cpu: cpu, buffer: buffer)
    var time = unsafe rest?.time ?? Order.word64(base)
    // The deltas of one sub-buffer cannot take it further than 64 bits.
    guard time <= maximumTime else {
      content.damage = (0, .impossibleTime(time))
      return content
    }
    var offset = rest?.offset ?? layout.dataOffset
    var count = 0
    let room = records.count
    while end &- offset >= 4 {
      let short = unsafe shortRecords(
        base + offset, base + end, time, out + count, out + room, origin, Order.self)
      (offset, time, count) = unsafe (short.next - base, short.time, short.out - out)
      guard end &- offset >= 4 else { break }
      if count == room {
        content.rest = Rest(offset: offset, time: time)
        content.damage = nil
        content.count = count
        return content
      }
      let word = unsafe Order.word32(base + offset)
      let typeLength = Order.typeLength(word)
      let delta = Order.delta(word)
      if typeLength &- 1 < 28 {
        if content.damage == nil { content.damage = (offset, .recordBeyondCommit(length: UInt64(typeLength &* 4))) }
        break
      }
      if typeLength == 29 && delta == 0 { break }
      guard end &- offset >= 8 else {
        if content.damage == nil { content.damage = (offset, .recordBeyondCommit(length: 8)) }
        break
      }
      let second = unsafe Order.word32(base + (offset &+ 4))
      if typeLength == 30 {
        time &+= delta &+ UInt64(second) << 27
        guard time <= maximumTime else {
          if content.damage == nil { content.damage = (offset, .impossibleTime(time)) }
          break
        }
        offset &+= 8
        continue
      }
      if typeLength == 31 {
        let stamp = absoluteTime(delta | UInt64(second) << 27, running: time)
        guard stamp >= time, stamp <= maximumTime else {
          if content.damage == nil { content.damage = (offset, .timeBackwards(from: time, to: stamp)) }
          break
        }
        time = stamp
        offset &+= 8
        continue
      }
      let isData = typeLength == 0
      // The length counts its own word; a payload holds at least `common_type`.
      guard second >= (isData ? 6 : 4) else {
        if content.damage == nil { content.damage = (offset, .lengthTooSmall(UInt64(second))) }
        break
      }
      let next = offset &+ 4 &+ (isData ? (Int(second) &+ 3) & ~3 : Int(second))
      guard next <= end else {
        if content.damage == nil { content.damage = (offset, .recordBeyondCommit(length: UInt64(second))) }
        break
      }
      // Discarded records: the kernel's reader leaves their delta out, trace-cmd counts it. We agree with trace-cmd.
      time &+= delta
      if isData {
        let payload = unsafe base + (offset &+ 8)
        unsafe out[count] = RawRecord(
          timestamp: time, payload: payload, extent: RawRecord.extent(second &- 4, swapsBytes: Order.swaps),
          origin: origin, eventID: Order.word16(payload))
        count &+= 1
      }
      offset = next
    }
    if content.damage == nil && end > offset && end - offset < 4 {
      content.damage = (offset, .recordBeyondCommit(length: 4))
    }
    content.count = count
    return content
  }

  /// Decodes data records of types 1...28, which nearly all are, until another comes, one reaches beyond `end`, fewer
  /// than four bytes are left, or `out` is at its end.
  ///
  /// A function of its own so that all it needs is in registers.
  @inline(never)
  private static func shortRecords<Order: WordOrder>(
    _ begin: UnsafeRawPointer, _ end: UnsafeRawPointer, _ beginTime: UInt64,
    _ beginOut: UnsafeMutablePointer<RawRecord>,
    _ endOut: UnsafeMutablePointer<RawRecord>, _ origin: UInt64, _: Order.Type
  ) -> (next: UnsafeRawPointer, time: UInt64, out: UnsafeMutablePointer<RawRecord>) {
    var (next, time, out) = unsafe (begin, beginTime, beginOut)
    while unsafe out < endOut, unsafe end - next >= 4 {
      // A kilobyte ahead, across the pages at which the processor's own prefetching ends.
      unsafe prefetch_line(next + 1024)
      let word = unsafe Order.word32(next)
      let typeLength = Order.typeLength(word)
      guard typeLength &- 1 < 28 else { break }
      let payload = unsafe next + 4
      let following = unsafe payload + Int(typeLength &* 4)
      guard unsafe following <= end else { break }
      time &+= Order.delta(word)
      // The id is here already: what kind of record comes next is asked first of all, and the payload is far by then.
      unsafe out.pointee = RawRecord(
        timestamp: time, payload: payload, extent: RawRecord.extent(typeLength &* 4, swapsBytes: Order.swaps),
        origin: origin, eventID: Order.word16(payload))
      unsafe out += 1
      unsafe next = following
    }
    return unsafe (next, time, out)
  }

  private static let maximumTime = UInt64(1) << 63

  /// `rb_fix_abs_ts`: a stamp has 59 bits, the top five come from the time that runs.
  @inline(__always)
  private static func absoluteTime(_ stamp: UInt64, running: UInt64) -> UInt64 {
    let top = running & 0xf800_0000_0000_0000
    guard top != 0 else { return stamp }
    let time = top | stamp
    return time < running ? time &+ 1 << 59 : time
  }

  /// Bit 31: records were lost before this sub-buffer. Bit 30: a `long` directly after the committed bytes says how
  /// many, if it fits.
  private static func loss<Order: WordOrder>(
    _ commit: UInt32, _ bytes: UnsafeRawBufferPointer, _ layout: SubBufferLayout, _: Order.Type
  ) -> Int32 {
    guard commit & 0x8000_0000 != 0 else { return 0 }
    let place = layout.dataOffset + Int(commit & 0x3fff_ffff)
    guard commit & 0x4000_0000 != 0, place + layout.commitSize <= min(bytes.count, layout.size),
      let base = bytes.baseAddress
    else { return -1 }
    let count =
      layout.commitSize == 8 ? unsafe Order.word64(base + place) : UInt64(unsafe Order.word32(base + place))
    return count == 0 || count > UInt64(Int32.max) ? -1 : Int32(count)
  }
}

#if _endian(big)
  private let isBigEndianHost = true
#else
  private let isBigEndianHost = false
#endif

/// The byte order of a file, settled once per sub-buffer rather than per word.
private protocol WordOrder {
  static var swaps: Bool { get }
}

private enum NativeOrder: WordOrder {
  static var swaps: Bool { false }
}

private enum SwappedOrder: WordOrder {
  static var swaps: Bool { true }
}

extension WordOrder {
  @inline(__always)
  fileprivate static func word16(_ p: UnsafeRawPointer) -> UInt16 {
    let word = unsafe p.loadUnaligned(as: UInt16.self)
    return swaps ? word.byteSwapped : word
  }

  @inline(__always)
  fileprivate static func word32(_ p: UnsafeRawPointer) -> UInt32 {
    let word = unsafe p.loadUnaligned(as: UInt32.self)
    return swaps ? word.byteSwapped : word
  }

  @inline(__always)
  fileprivate static func word64(_ p: UnsafeRawPointer) -> UInt64 {
    let word = unsafe p.loadUnaligned(as: UInt64.self)
    return swaps ? word.byteSwapped : word
  }

  /// C bit fields start at the low end on little-endian machines and at the high end on big-endian ones.
  @inline(__always)
  fileprivate static var isBigEndian: Bool { swaps != isBigEndianHost }

  @inline(__always)
  fileprivate static func typeLength(_ word: UInt32) -> UInt32 { isBigEndian ? word >> 27 : word & 31 }

  @inline(__always)
  fileprivate static func delta(_ word: UInt32) -> UInt64 { UInt64(isBigEndian ? word & 0x7ff_ffff : word >> 5) }
}
