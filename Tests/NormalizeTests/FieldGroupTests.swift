// SPDX-License-Identifier: GPL-2.0-only

import Testing
import TraceFile

@testable import Normalize

@Suite("Fields that are loaded together")
struct FieldGroupTests {
  /// The words 0x8000_0001, 2, 0xffff_fffd, 0xffff_fffc, in this machine's order or the other.
  private func load(
    _ a: EventLayouts.Field, _ b: EventLayouts.Field, length: UInt32 = 16, swapsBytes: Bool = false
  ) -> (UInt64, UInt64)? {
    let words: [UInt32] = [0x8000_0001, 2, 0xffff_fffd, 0xffff_fffc].map { swapsBytes ? $0.byteSwapped : $0 }
    let groups = FieldGroups()
    let group: FieldGroup<(UInt32, Int32)> = groups.add(a, b)
    return unsafe words.withUnsafeBytes { bytes in
      guard let payload = bytes.baseAddress else { return nil }
      return unsafe group.load(
        RawRecord(
          timestamp: 0, payload: payload, length: length, lostBefore: 0, cpu: 0, buffer: 0, swapsBytes: swapsBytes))
    }
  }

  private func field(_ offset: UInt32, size: UInt32 = 4, signed: Bool) -> EventLayouts.Field {
    EventLayouts.Field(
      layout: FieldLayout(offset: offset, size: size, elementSize: size, isSigned: signed, kind: .scalar))
  }

  @Test("Fields of the expected types are extended as they are signed, in either byte order", arguments: [false, true])
  func expected(swapsBytes: Bool) throws {
    let numbers = try #require(load(field(0, signed: false), field(8, signed: true), swapsBytes: swapsBytes))
    #expect(numbers.0 == 0x8000_0001 && Int64(bitPattern: numbers.1) == -3)
  }

  @Test("Fields of other types give their own numbers")
  func unexpected() throws {
    let signed = try #require(load(field(0, signed: true), field(8, signed: false)))
    #expect(Int64(bitPattern: signed.0) == -0x7fff_ffff && signed.1 == 0xffff_fffd)
    let short = try #require(load(field(4, size: 1, signed: false), field(8, size: 2, signed: true)))
    #if _endian(little)
      #expect(short.0 == 2 && Int64(bitPattern: short.1) == -3)
    #else
      #expect(short.0 == 0 && Int64(bitPattern: short.1) == -1)
    #endif
  }

  @Test("A record that is too short for one of them gives none, and so does a field that is not there")
  func missing() {
    #expect(load(field(0, signed: false), field(12, signed: true), length: 16) != nil)
    #expect(load(field(0, signed: false), field(12, signed: true), length: 15) == nil)
    #expect(load(field(12, signed: false), field(0, signed: true), length: 15) == nil)
    #expect(load(.absent, field(0, signed: true)) == nil)
    #expect(load(field(0, signed: false), .absent) == nil)
  }
}
