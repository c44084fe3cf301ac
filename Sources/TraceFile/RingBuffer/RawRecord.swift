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
  /// Payload bytes, up to 7 more than the event wrote.
  public var length: UInt32
  /// Records of this CPU lost directly before this one: 0 none, -1 unknown how many.
  public var lostBefore: Int32
  public var cpu: UInt16
  /// Index into `TraceReader.buffers`.
  public var buffer: UInt8
  /// The payload's byte order is not this machine's.
  public var swapsBytes: Bool

  @inlinable
  public init(
    timestamp: UInt64, payload: UnsafeRawPointer, length: UInt32, lostBefore: Int32, cpu: UInt16, buffer: UInt8,
    swapsBytes: Bool
  ) {
    self.timestamp = timestamp
    unsafe self.payload = payload
    self.length = length
    self.lostBefore = lostBefore
    self.cpu = cpu
    self.buffer = buffer
    self.swapsBytes = swapsBytes
  }

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
