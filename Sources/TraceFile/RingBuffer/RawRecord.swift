// SPDX-License-Identifier: GPL-2.0-only

/// One record of the ring buffer, its payload still where it was read.
///
/// Valid until the batch it came in is filled again.
@safe
package struct RawRecord: BitwiseCopyable {
  /// Nanoseconds of the trace clock, with the file's OFFSET, DATE and TSC2NSEC options applied.
  package var timestamp: UInt64
  /// First byte of the trace entry (`common_type`); at least two bytes are there.
  package var payload: UnsafeRawPointer
  /// Payload bytes, up to 7 more than the event wrote.
  package var length: UInt32
  /// Records of this CPU lost directly before this one: 0 none, -1 unknown how many.
  package var lostBefore: Int32
  package var cpu: UInt16
  /// Index into `TraceReader.buffers`.
  package var buffer: UInt8
  /// The payload's byte order is not this machine's.
  package var swapsBytes: Bool

  @inlinable
  package init(
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
  package var eventID: UInt16 {
    let raw = unsafe payload.loadUnaligned(as: UInt16.self)
    return swapsBytes ? raw.byteSwapped : raw
  }

  /// The payload's bytes.
  @inlinable
  package var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: payload, count: Int(length)) }
}
