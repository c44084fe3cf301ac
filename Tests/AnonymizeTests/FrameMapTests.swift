// SPDX-License-Identifier: GPL-2.0-only

import Testing

@testable import Anonymize

@Suite("Which page frame is said instead")
struct FrameMapTests {
  /// 24 GiB of small pages, with their hole below 4 GiB.
  private let map = FrameMap(highest: 0x63_ffff, pageSize: 4096, secret: Secret((1, 2)))

  @Test("Every block of 4 MiB has one of its own, and keeps the order of its frames")
  func bijection() {
    let blocks = (0..<UInt64(8192)).map { map.frame($0 << 10) }
    #expect(Set(blocks).count == 8192)
    #expect(blocks.allSatisfy { $0 & 1023 == 0 && $0 >> 10 < 8192 })
    #expect(map.frame(0x12_3456) == map.frame(0x12_3400) + 0x56)
    #expect(blocks.enumerated().count { UInt64($0.offset) << 10 != $0.element } > 8000)
  }

  @Test("Each stays in its zone: below 16 MiB where it is, below 4 GiB, and above")
  func zones() {
    #expect((0..<UInt64(4096)).allSatisfy { map.frame($0) == $0 })
    #expect(stride(from: UInt64(4096), to: 1 << 20, by: 1024).allSatisfy { (4096..<1 << 20).contains(map.frame($0)) })
    #expect(stride(from: UInt64(1 << 20), to: 1 << 23, by: 1024).allSatisfy { map.frame($0) >= 1 << 20 })
  }

  @Test("No frame stays none: the frame of a failed allocation, and one that no machine has")
  func none() {
    #expect(map.frame(.max) == .max)
    #expect(map.frame(1 << 40) == 1 << 34)
  }

  @Test("With pages of 64 KiB blocks are of order 13")
  func largePages() {
    let map = FrameMap(highest: 0xf_ffff, pageSize: 65536, secret: Secret((1, 2)))
    #expect(map.frame(0x5_1234) == map.frame(0x5_0000) + 0x1234)
    #expect(Set((0..<UInt64(128)).map { map.frame($0 << 13) }).count == 128)
  }
}
