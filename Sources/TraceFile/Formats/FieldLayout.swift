// SPDX-License-Identifier: GPL-2.0-only

/// Where one field of an event lies in the payload: what a `field:` line of a format file boils down to.
///
/// Every load is checked against the record's length and gives `nil` outside, because a record may be cut or corrupt.
public struct FieldLayout: Equatable, Sendable, BitwiseCopyable {
  public enum Kind: UInt8, Sendable, BitwiseCopyable {
    /// One number of 1, 2, 4 or 8 bytes, and of no other size.
    case scalar
    /// Elements at a fixed place; `size` is that of all of them, 0 for an array that runs to the end of the payload.
    case array
    /// `__data_loc`: a word with the distance from the payload's start (low half) and the length in bytes (high half).
    case dataLocation
    /// `__rel_loc`: the same, counted from the end of the word.
    case relativeLocation
    /// A struct, or a scalar of an odd size.
    case opaque
  }

  public var offset: UInt32
  public var size: UInt32
  /// Size of one element of an array (fixed or dynamic); `size` for a scalar.
  public var elementSize: UInt32
  /// Whether numbers are sign extended.
  public var isSigned: Bool
  public var kind: Kind

  @inlinable
  public init(offset: UInt32, size: UInt32, elementSize: UInt32, isSigned: Bool, kind: Kind) {
    self.offset = offset
    self.size = size
    self.elementSize = elementSize
    self.isSigned = isSigned
    self.kind = kind
  }

  /// The number in a scalar field, zero extended, or sign extended to 64 bits when the field is signed.
  @inlinable
  public func loadUInt64(from record: RawRecord) -> UInt64? {
    guard kind == .scalar else { return nil }
    return Self.number(at: UInt64(offset), size: size, isSigned: isSigned, in: record)
  }

  /// The number in a scalar field as a signed value.
  @inlinable
  public func loadInt64(from record: RawRecord) -> Int64? {
    loadUInt64(from: record).map { Int64(bitPattern: $0) }
  }

  /// One element of an array, fixed or dynamic.
  @inlinable
  public func loadElement(_ index: Int, from record: RawRecord) -> UInt64? {
    guard index >= 0, elementSize > 0, let place = place(in: record),
      (index + 1) * Int(elementSize) <= place.count
    else { return nil }
    return Self.number(
      at: UInt64(place.lowerBound + index * Int(elementSize)), size: elementSize, isSigned: isSigned, in: record)
  }

  /// The bytes of the field, wherever they are.
  @inlinable
  public func loadBytes(from record: RawRecord) -> UnsafeRawBufferPointer? {
    guard let place = place(in: record) else { return nil }
    return unsafe UnsafeRawBufferPointer(start: record.payload + place.lowerBound, count: place.count)
  }

  /// The field as text up to the first NUL; kernel strings need not be terminated.
  public func loadString(from record: RawRecord) -> String? {
    guard let bytes = unsafe loadBytes(from: record) else { return nil }
    return unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Byte range in the payload.
  @usableFromInline
  func place(in record: RawRecord) -> Range<Int>? {
    let start: Int
    let count: Int
    switch kind {
    case .scalar, .opaque:
      start = Int(offset)
      count = Int(size)
    case .array:
      start = Int(offset)
      count = size == 0 ? Int(record.length) - start : Int(size)
    case .dataLocation, .relativeLocation:
      guard let word = Self.number(at: UInt64(offset), size: 4, isSigned: false, in: record) else { return nil }
      start = Int(word & 0xffff) + (kind == .relativeLocation ? Int(offset) + 4 : 0)
      count = Int(word >> 16)
    }
    guard count >= 0, start + count <= Int(record.length) else { return nil }
    return start..<(start + count)
  }

  @inlinable
  static func number(at offset: UInt64, size: UInt32, isSigned: Bool, in record: RawRecord) -> UInt64? {
    guard offset &+ UInt64(size) <= UInt64(record.length) else { return nil }
    let place = unsafe record.payload + Int(offset)
    switch size {
    case 8:
      let raw = unsafe place.loadUnaligned(as: UInt64.self)
      return record.swapsBytes ? raw.byteSwapped : raw
    case 4:
      var raw = unsafe place.loadUnaligned(as: UInt32.self)
      if record.swapsBytes { raw = raw.byteSwapped }
      return isSigned ? UInt64(bitPattern: Int64(Int32(bitPattern: raw))) : UInt64(raw)
    case 2:
      var raw = unsafe place.loadUnaligned(as: UInt16.self)
      if record.swapsBytes { raw = raw.byteSwapped }
      return isSigned ? UInt64(bitPattern: Int64(Int16(bitPattern: raw))) : UInt64(raw)
    case 1:
      let raw = unsafe place.load(as: UInt8.self)
      return isSigned ? UInt64(bitPattern: Int64(Int8(bitPattern: raw))) : UInt64(raw)
    default:
      return nil
    }
  }
}
