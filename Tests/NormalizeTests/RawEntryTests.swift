// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Normalize

/// Entries put together as the kernel's macros do, taken apart again.
@Suite("Raw page table entries")
struct RawEntryTests {
  private let frame: UInt64 = 0xb_f964

  /// x86 `__swp_entry`.
  private func x86(type: UInt64, offset: UInt64) -> UInt64 { ((~offset << 14) >> 5) | type << 59 }

  /// arm64 `__swp_entry` since 6.10.
  private func arm64(type: UInt64, offset: UInt64) -> UInt64 { type << 6 | offset << 12 }

  @Test("The same number is read-exclusive on 6.1 and read on 6.12")
  func numbers() throws {
    let raw = x86(type: 28, offset: frame | 1 << 34)
    let old = Machine("x86_64", kernel: .v6_1, configuration: [:])
    let new = Machine("x86_64", kernel: .v6_12, configuration: [:])
    let onOld = try #require(RawEntry(raw: raw, machine: old).migration)
    let onNew = try #require(RawEntry(raw: raw, machine: new).migration)
    #expect(onOld.type == .readExclusive && onNew.type == .read)
    for entry in [onOld, onNew] {
      #expect(entry.frame == PFN(frame) && entry.young && !entry.dirty)
    }
  }

  @Test("arm64: type, frame, young and dirty, with 48 and with 52 bits of physical address", arguments: [48, 52])
  func arm64Migration(bits: Int) throws {
    let machine = Machine("aarch64", kernel: .v6_12, configuration: ["CONFIG_ARM64_PA_BITS": "\(bits)"])
    let offset = frame | 1 << UInt64(bits - 12 + 1)
    let entry = try #require(RawEntry(raw: arm64(type: 30, offset: offset), machine: machine).migration)
    #expect(entry.type == .write && entry.frame == PFN(frame) && !entry.young && entry.dirty)
  }

  @Test("What is no migration entry, or of an unknown machine, is not guessed at")
  func nothing() {
    let machine = Machine("x86_64", kernel: .v6_12, configuration: [:])
    #expect(RawEntry(raw: x86(type: 31, offset: frame), machine: machine).migration == nil)
    let other = Machine("riscv64", kernel: .v6_12, configuration: [:])
    #expect(RawEntry(raw: x86(type: 28, offset: frame), machine: other).migration == nil)
    #expect(RawEntry(raw: 0x8000_0000_21a6_9867, machine: other).present == nil)
  }

  @Test("Present entries: write and dirty of x86 and of arm64")
  func present() throws {
    let x86 = Machine("x86_64", kernel: .v6_12, configuration: [:])
    // NX, a frame, accessed, user, present; then dirty and write.
    let clean = try #require(RawEntry(raw: 0x8000_0000_21a6_9025, machine: x86).present)
    #expect(clean.frame == PFN(0x21a69) && !clean.writable && !clean.dirty)
    let dirty = try #require(RawEntry(raw: 0x8000_0000_21a6_9067, machine: x86).present)
    #expect(dirty.writable && dirty.dirty)
    let arm64 = Machine("aarch64", kernel: .v6_12, configuration: [:])
    // Bits 0 and 1: a page. 7: read-only until written. 51: write.
    let untouched = try #require(RawEntry(raw: 0x21a6_9083 | 1 << 51, machine: arm64).present)
    #expect(untouched.frame == PFN(0x21a69) && untouched.writable && !untouched.dirty)
    let written = try #require(RawEntry(raw: 0x21a6_9003 | 1 << 51, machine: arm64).present)
    #expect(written.writable && written.dirty)
  }

  @Test("Another frame in an entry leaves the rest of it as it is")
  func otherFrame() throws {
    let x86 = Machine("x86_64", kernel: .v6_12, configuration: [:])
    let entry = self.x86(type: 29, offset: frame | 1 << 34)
    let moved = RawEntry(raw: entry, machine: x86).migration(withFrame: { $0 == frame ? 0x12_3456 : 0 })
    #expect(moved == self.x86(type: 29, offset: 0x12_3456 | 1 << 34))
    #expect(RawEntry(raw: 0x8000_0000_21a6_9067, machine: x86).present(withFrame: { $0 + 1 }) == 0x8000_0000_21a6_a067)
    let arm64 = Machine("aarch64", kernel: .v6_12, configuration: [:])
    let other = RawEntry(raw: self.arm64(type: 30, offset: frame | 1 << 41), machine: arm64)
    #expect(other.migration(withFrame: { _ in 7 }) == self.arm64(type: 30, offset: 7 | 1 << 41))
    #expect(
      RawEntry(raw: 0x21a6_9083 | 1 << 51, machine: arm64).present(withFrame: { $0 + 1 }) == 0x21a6_a083 | 1 << 51)
    let riscv = Machine("riscv64", kernel: .v6_12, configuration: [:])
    #expect(RawEntry(raw: entry, machine: riscv).migration(withFrame: { $0 }) == nil)
  }
}
