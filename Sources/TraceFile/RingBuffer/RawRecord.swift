// SPDX-License-Identifier: GPL-2.0-only

/// One record of the ring buffer, its payload still where it was read.
///
/// Valid until the batch it came in is filled again.
@safe
public struct RawRecord: BitwiseCopyable {
  /// Nanoseconds of the trace clock, with the file's OFFSET, DATE and TSC2NSEC options applied.
  public var timestamp: UInt64
  /// First byte of the trace entry (`common_type`); at least two bytes are there.
  public var payload: UnsafeRawPointer
  // Two words instead of five fields: a record is passed in registers through the layers of the hot loop.
  @usableFromInline var lengthAndLoss: UInt64
  @usableFromInline var origin: UInt32

  /// `origin` is made once per sub-buffer.
  @inlinable
  init(timestamp: UInt64, payload: UnsafeRawPointer, length: UInt32, origin: UInt32) {
    self.timestamp = timestamp
    unsafe self.payload = payload
    lengthAndLoss = UInt64(length)
    self.origin = origin
  }

  @inlinable
  public init(
    timestamp: UInt64, payload: UnsafeRawPointer, length: UInt32, lostBefore: Int32, cpu: UInt16, buffer: UInt8,
    swapsBytes: Bool
  ) {
    unsafe self.init(
      timestamp: timestamp, payload: payload, length: length,
      origin: Self.origin(cpu: cpu, buffer: buffer, swapsBytes: swapsBytes))
    self.lostBefore = lostBefore
  }

  @usableFromInline
  static func origin(cpu: UInt16, buffer: UInt8, swapsBytes: Bool) -> UInt32 {
    UInt32(cpu) | UInt32(buffer) << 16 | (swapsBytes ? 1 << 24 : 0)
  }

  /// Payload bytes, up to 7 more than the event wrote.
  @inlinable
  public var length: UInt32 { UInt32(truncatingIfNeeded: lengthAndLoss) }

  /// Records of this CPU lost directly before this one: 0 none, -1 unknown how many.
  @inlinable
  public var lostBefore: Int32 {
    get { Int32(truncatingIfNeeded: lengthAndLoss &>> 32) }
    set { lengthAndLoss = UInt64(length) | UInt64(UInt32(bitPattern: newValue)) &<< 32 }
  }

  @inlinable
  public var cpu: UInt16 { UInt16(truncatingIfNeeded: origin) }

  /// Index into `TraceReader.buffers`.
  @inlinable
  public var buffer: UInt8 { UInt8(truncatingIfNeeded: origin &>> 16) }

  /// The payload's byte order is not this machine's.
  @inlinable
  public var swapsBytes: Bool { origin &>> 24 != 0 }

  /// Payload bytes that can be read as this machine's numbers: all or none.
  @inlinable
  public var nativeLength: UInt32 { length & (origin &>> 24 &- 1) }

  /// `common_type`: the id of the event's format.
  @inlinable
  public var eventID: UInt16 {
    let raw = unsafe payload.loadUnaligned(as: UInt16.self)
    return swapsBytes ? raw.byteSwapped : raw
  }

  /// The payload's bytes.
  @inlinable
  public var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: payload, count: Int(length)) }
}
