// SPDX-License-Identifier: GPL-2.0-only

/// Reads numbers and strings off a region front to back, in the byte order of the file.
///
/// Every read is checked against `end`; running over it throws with the item's name and leaves the position alone.
struct ByteCursor {
  let region: ByteRegion
  private(set) var offset: Int
  let end: Int
  var isBigEndian: Bool

  init(_ region: ByteRegion, range: Range<Int>? = nil, isBigEndian: Bool) {
    let range = (range ?? 0..<region.count).clamped(to: 0..<region.count)
    self.region = region
    offset = range.lowerBound
    end = range.upperBound
    self.isBigEndian = isBigEndian
  }

  var remaining: Int { end - offset }

  func error(_ reason: TraceFileError.Reason) -> TraceFileError { region.error(at: offset, reason) }

  /// The range of the next `count` bytes, which are passed over.
  mutating func take(_ count: UInt64, _ what: @autoclosure () -> String) throws(TraceFileError) -> Range<Int> {
    guard count <= UInt64(remaining) else { throw error(.truncated(what())) }
    let range = offset..<(offset + Int(count))
    offset = range.upperBound
    return range
  }

  mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type, _ what: @autoclosure () -> String
  ) throws(TraceFileError) -> T {
    let range = try take(UInt64(MemoryLayout<T>.size), what())
    let raw = unsafe (region.base + range.lowerBound).loadUnaligned(as: T.self)
    return isBigEndian ? T(bigEndian: raw) : T(littleEndian: raw)
  }

  /// A NUL terminated string; the NUL is passed over.
  mutating func string(_ what: @autoclosure () -> String) throws(TraceFileError) -> String {
    let rest = unsafe region.bytes(offset..<end)
    guard let length = unsafe rest.firstIndex(of: 0) else { throw error(.truncated(what())) }
    let text = region.text(offset..<(offset + length))
    offset += length + 1
    return text
  }

  /// Passes over `tag` when the next bytes are exactly that.
  mutating func skip(_ tag: StaticString) -> Bool {
    let length = tag.utf8CodeUnitCount
    guard remaining >= length else { return false }
    let next = unsafe region.bytes(offset..<(offset + length))
    guard unsafe next.elementsEqual(UnsafeBufferPointer(start: tag.utf8Start, count: length)) else { return false }
    offset += length
    return true
  }

  mutating func move(to newOffset: UInt64, _ what: @autoclosure () -> String) throws(TraceFileError) {
    guard newOffset <= UInt64(end) else { throw error(.badLength(what(), newOffset)) }
    offset = Int(newOffset)
  }
}
