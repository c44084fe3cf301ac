// SPDX-License-Identifier: GPL-2.0-only

/// One record of the ring buffer, its payload still where it was read.
///
/// Valid until the batch it came in is filled again; see `RecordBatch`.
@safe
public struct RawRecord: BitwiseCopyable {
  /// Nanoseconds of the trace clock, with the file's OFFSET, DATE and TSC2NSEC options applied.
  public var timestamp: UInt64
  /// First byte of the trace entry (`common_type`); at least two bytes are there.
  public var payload: UnsafeRawPointer
  // Two words instead of six fields: a record is passed in registers through the layers of the hot loop.
  /// `lostBefore` (high half), and the length; its top bit is set when the byte order is not this machine's.
  @usableFromInline var extent: UInt64
  /// CPU (16 bits), buffer (8 bits), and from bit 32 on the event's id.
  @usableFromInline var origin: UInt64

  /// `extent` is a length as `extent(_:swapsBytes:)` makes it. `origin` is made once per sub-buffer; the event's id
  /// joins it here.
  @inlinable
  init(timestamp: UInt64, payload: UnsafeRawPointer, extent: UInt32, origin: UInt64, eventID: UInt16) {
    self.timestamp = timestamp
    unsafe self.payload = payload
    self.extent = UInt64(extent)
    self.origin = origin | UInt64(eventID) &<< 32
  }

  @inlinable
  public init(
    timestamp: UInt64, payload: UnsafeRawPointer, length: UInt32, lostBefore: Int32, cpu: UInt16, buffer: UInt8,
    swapsBytes: Bool
  ) {
    let id = unsafe payload.loadUnaligned(as: UInt16.self)
    unsafe self.init(
      timestamp: timestamp, payload: payload, extent: Self.extent(length, swapsBytes: swapsBytes),
      origin: Self.origin(cpu: cpu, buffer: buffer), eventID: swapsBytes ? id.byteSwapped : id)
    self.lostBefore = lostBefore
  }

  @inlinable
  static func origin(cpu: UInt16, buffer: UInt8) -> UInt64 { UInt64(cpu) | UInt64(buffer) &<< 16 }

  /// No record is longer than a sub-buffer, so there is a bit left.
  @inlinable
  static func extent(_ length: UInt32, swapsBytes: Bool) -> UInt32 { length | (swapsBytes ? 1 &<< 31 : 0) }

  /// Payload bytes, up to 7 more than the event wrote.
  @inlinable
  public var length: UInt32 { UInt32(truncatingIfNeeded: extent) & 0x7fff_ffff }

  /// Records of this CPU lost directly before this one: 0 none, -1 unknown how many.
  @inlinable
  public var lostBefore: Int32 {
    get { Int32(truncatingIfNeeded: extent &>> 32) }
    set { extent = extent & 0xffff_ffff | UInt64(UInt32(bitPattern: newValue)) &<< 32 }
  }

  @inlinable
  public var cpu: UInt16 { UInt16(truncatingIfNeeded: origin) }

  /// Index into `TraceReader.buffers`.
  @inlinable
  public var buffer: UInt8 { UInt8(truncatingIfNeeded: origin &>> 16) }

  /// The payload's byte order is not this machine's.
  @inlinable
  public var swapsBytes: Bool { Int32(truncatingIfNeeded: extent) < 0 }

  /// Whether the first bytes of the payload, so many, are there and can be read as this machine's numbers.
  @inlinable
  public func isNative(upTo end: Int32) -> Bool { end <= Int32(truncatingIfNeeded: extent) }

  /// `common_type`: the id of the event's format.
  @inlinable
  public var eventID: UInt16 { UInt16(truncatingIfNeeded: origin &>> 32) }

  /// The payload's bytes.
  @inlinable
  public var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: payload, count: Int(length)) }
}
