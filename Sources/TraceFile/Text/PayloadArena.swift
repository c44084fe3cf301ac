// SPDX-License-Identifier: GPL-2.0-only

/// The payloads made from the lines of one batch, one after the other in memory that stays put.
@safe
final class PayloadArena {
  private let bytes: UnsafeMutableRawBufferPointer
  private var used = 0
  private var start = 0
  private var isOpen = false

  init(capacity: Int) { unsafe bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 8) }

  deinit { unsafe bytes.deallocate() }

  var room: Int { unsafe bytes.count - used }

  func removeAll() {
    used = 0
    start = 0
    isOpen = false
  }

  /// A new payload begins; one that was begun and not ended is forgotten.
  func begin() {
    if isOpen { used = start }
    start = used
    isOpen = true
  }

  func append(_ number: UInt64) {
    unsafe precondition(start + 8 <= bytes.count && used + 8 <= bytes.count, "payload arena overflow")
    unsafe bytes.storeBytes(of: number.littleEndian, toByteOffset: used, as: UInt64.self)
    used += 8
  }

  /// Text, filled up with NULs to `size` or cut to leave one; as long as it is when `size` is 0.
  func append(_ text: TextLine, padTo size: Int) {
    let count = size == 0 ? text.count : min(text.count, size - 1)
    let slot = max(size, count)
    unsafe precondition(used + slot <= bytes.count, "payload arena overflow")
    for index in 0..<slot { unsafe bytes[used + index] = index < count ? text[index] : 0 }
    used += slot
  }

  /// The finished payload. The next one starts at a multiple of eight.
  func end() -> (start: UnsafeRawPointer, count: Int) {
    guard let base = unsafe bytes.baseAddress else { preconditionFailure("payload arena without memory") }
    let payload = unsafe (start: UnsafeRawPointer(base + start), count: used - start)
    used = unsafe min((used + 7) & ~7, bytes.count)
    isOpen = false
    return unsafe payload
  }
}
