// SPDX-License-Identifier: GPL-2.0-only

import TraceFile

/// Fields of one event that are wanted together: one look at the record's length for all, and a plain load for each.
///
/// `Types` are those that 64-bit kernels give the fields, in order. A field of another one, a field that is not there
/// and a record in the other byte order are no mistake: they go the long way.
@safe
struct FieldGroup<Types> {
  /// Not within the group: where a number lies is loaded when the number is, and takes up no register until then.
  private let fields: UnsafeMutablePointer<EventLayouts.Field>
  /// One past the last byte of all; beyond every payload when all go the long way.
  private let end: Int32

  fileprivate init(_ fields: UnsafeMutableBufferPointer<EventLayouts.Field>, haveTypes: Bool) {
    unsafe self.fields = fields.baseAddress.unsafelyUnwrapped
    end = unsafe haveTypes ? fields.reduce(0) { max($0, Int32($1.end)) } : .max
  }

  /// `nil` when it is not there.
  @inline(__always)
  func load(_ record: RawRecord) -> UInt64? where Types: FieldNumber {
    guard record.isNative(upTo: end) else { return loadSlowly(record) }
    return load(0, record, as: Types.self)
  }

  /// `nil` when one of them is not there.
  @inline(__always)
  func load<A, B>(_ record: RawRecord) -> (UInt64, UInt64)? where Types == (A, B), A: FieldNumber, B: FieldNumber {
    guard record.isNative(upTo: end) else { return loadSlowly(record) }
    return (load(0, record, as: A.self), load(1, record, as: B.self))
  }

  /// `nil` when one of them is not there.
  @inline(__always)
  func load<A, B, C>(_ record: RawRecord) -> (UInt64, UInt64, UInt64)?
  where Types == (A, B, C), A: FieldNumber, B: FieldNumber, C: FieldNumber {
    guard record.isNative(upTo: end) else { return loadSlowly(record) }
    return (load(0, record, as: A.self), load(1, record, as: B.self), load(2, record, as: C.self))
  }

  /// `nil` when one of them is not there.
  @inline(__always)
  func load<A, B, C, D>(_ record: RawRecord) -> (UInt64, UInt64, UInt64, UInt64)?
  where Types == (A, B, C, D), A: FieldNumber, B: FieldNumber, C: FieldNumber, D: FieldNumber {
    guard record.isNative(upTo: end) else { return loadSlowly(record) }
    return (
      load(0, record, as: A.self), load(1, record, as: B.self), load(2, record, as: C.self),
      load(3, record, as: D.self)
    )
  }

  @inline(__always)
  private func load<A: FieldNumber>(_ index: Int, _ record: RawRecord, as _: A.Type) -> UInt64 {
    unsafe UInt64(
      truncatingIfNeeded: (record.payload + Int(fields[index].offset)).loadUnaligned(as: A.self))
  }

  private func loadSlowly(_ index: Int, _ record: RawRecord) -> UInt64? { unsafe fields[index].load(record) }

  @inline(never)
  private func loadSlowly(_ record: RawRecord) -> UInt64? { loadSlowly(0, record) }

  @inline(never)
  private func loadSlowly(_ record: RawRecord) -> (UInt64, UInt64)? {
    guard let a = loadSlowly(0, record), let b = loadSlowly(1, record) else { return nil }
    return (a, b)
  }

  @inline(never)
  private func loadSlowly(_ record: RawRecord) -> (UInt64, UInt64, UInt64)? {
    guard let a = loadSlowly(0, record), let b = loadSlowly(1, record), let c = loadSlowly(2, record)
    else { return nil }
    return (a, b, c)
  }

  @inline(never)
  private func loadSlowly(_ record: RawRecord) -> (UInt64, UInt64, UInt64, UInt64)? {
    guard let a = loadSlowly(0, record), let b = loadSlowly(1, record), let c = loadSlowly(2, record),
      let d = loadSlowly(3, record)
    else { return nil }
    return (a, b, c, d)
  }
}

/// A type that a field of a trace event may have.
protocol FieldNumber: FixedWidthInteger, BitwiseCopyable {}
extension UInt8: FieldNumber {}
extension Int32: FieldNumber {}
extension UInt32: FieldNumber {}
extension Int64: FieldNumber {}
extension UInt64: FieldNumber {}

/// Where the fields of a capture's groups are, for as long as anybody may load them.
@safe
final class FieldGroups {
  private var fields: [UnsafeMutableBufferPointer<EventLayouts.Field>] = unsafe []

  deinit { unsafe fields.forEach { unsafe $0.deallocate() } }

  func add<A: FieldNumber>(_ a: EventLayouts.Field) -> FieldGroup<A> {
    unsafe FieldGroup(place([a]), haveTypes: a.has(A.self))
  }

  func add<A: FieldNumber, B: FieldNumber>(_ a: EventLayouts.Field, _ b: EventLayouts.Field) -> FieldGroup<(A, B)> {
    unsafe FieldGroup(place([a, b]), haveTypes: a.has(A.self) && b.has(B.self))
  }

  func add<A: FieldNumber, B: FieldNumber, C: FieldNumber>(
    _ a: EventLayouts.Field, _ b: EventLayouts.Field, _ c: EventLayouts.Field
  ) -> FieldGroup<(A, B, C)> {
    unsafe FieldGroup(place([a, b, c]), haveTypes: a.has(A.self) && b.has(B.self) && c.has(C.self))
  }

  func add<A: FieldNumber, B: FieldNumber, C: FieldNumber, D: FieldNumber>(
    _ a: EventLayouts.Field, _ b: EventLayouts.Field, _ c: EventLayouts.Field, _ d: EventLayouts.Field
  ) -> FieldGroup<(A, B, C, D)> {
    unsafe FieldGroup(
      place([a, b, c, d]), haveTypes: a.has(A.self) && b.has(B.self) && c.has(C.self) && d.has(D.self))
  }

  private func place(_ members: [EventLayouts.Field]) -> UnsafeMutableBufferPointer<EventLayouts.Field> {
    let place = UnsafeMutableBufferPointer<EventLayouts.Field>.allocate(capacity: members.count)
    _ = unsafe place.initialize(from: members)
    unsafe fields.append(place)
    return unsafe place
  }
}
