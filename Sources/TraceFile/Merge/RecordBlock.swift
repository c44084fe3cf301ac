// SPDX-License-Identifier: GPL-2.0-only

/// Decoded records of one CPU: those of a few sub-buffers, and what was met on the way.
@safe
final class RecordBlock: @unchecked Sendable {
  let records: UnsafeMutableBufferPointer<RawRecord>
  var count = 0
  /// Loss shown by these sub-buffers.
  var lost = LostRecords()
  var damages: [TraceFileError] = []
  /// Decompressed bytes that the records point into.
  var regions: [ByteRegion] = []
  /// Where the sub-buffers are in the file, when the records point there.
  var source: Range<Int>?
  /// Nothing follows.
  var isLast = false
  /// Nothing follows, though there was more.
  var endsEarly = false

  init(capacity: Int) { unsafe records = .allocate(capacity: capacity) }

  deinit { unsafe records.deallocate() }

  func removeAll() {
    count = 0
    lost = LostRecords()
    damages.removeAll(keepingCapacity: true)
    regions.removeAll(keepingCapacity: true)
    source = nil
    isLast = false
    endsEarly = false
  }
}
