// SPDX-License-Identifier: GPL-2.0-only

import Testing

@testable import Anonymize

@Suite("Which page frame is said instead")
struct FrameMapTests {
  /// 32 GiB of small pages.
  private let map = FrameMapTests.map(blocks: 8192, pageSize: 4096)

  private static func map(blocks: UInt64, pageSize: Int) -> FrameMap {
    var survey = FrameSurvey(pageSize: pageSize)
    for block in 0..<blocks { survey.note(block << survey.shift) }
    return FrameMap(survey, secret: Secret((1, 2)))
  }

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
    let map = Self.map(blocks: 128, pageSize: 65536)
    #expect(map.frame(0x5_1234) == map.frame(0x5_0000) + 0x1234)
    #expect(Set((0..<UInt64(128)).map { map.frame($0 << 13) }).count == 128)
  }

  @Test("One frame where no machine has so many costs no more than another, and stays below the end")
  func wild() {
    var survey = FrameSurvey(pageSize: 4096)
    survey.note(1 << 34 - 1)
    survey.note(.max)
    let moved = FrameMap(survey, secret: Secret((1, 2))).frame(1 << 34 - 1)
    #expect(moved & 1023 == 1023 && (1 << 20..<1 << 34).contains(moved))
  }
}
