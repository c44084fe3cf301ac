// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@Suite("The table of kernel facts")
struct KernelFactsTests {
  @Test(
    "A release gets the newest row that is not newer than it",
    arguments: [
      ("6.1.0-56-amd64", "6.1"), ("6.11.2", "6.1"), ("6.12.117+deb13-arm64", "6.12"), ("6.18.44", "6.18"),
      ("7.0-rc1", "6.18"), ("7.3.4", "7.3"), ("8.1", "7.3"),
    ])
  func rows(release: String, row: String) { #expect(KernelFacts.forRelease(release)?.name == row) }

  @Test("An older or unreadable release gets none", arguments: ["5.10.0", "", "linux", "6"])
  func none(release: String) { #expect(KernelFacts.forRelease(release) == nil) }
}

@Suite("Event records")
struct MMEventRecordTests {
  @Test("One is a cache line: millions are copied from thread to thread")
  func size() { #expect(MemoryLayout<MMEventRecord>.stride == 64) }
}

@Suite("Page ranges")
struct PageRangeTests {
  private let range = PageRange(start: VirtualPage(10), end: VirtualPage(20))

  @Test("The end is not part of the range")
  func end() {
    #expect(range.contains(VirtualPage(10)) && range.contains(VirtualPage(19)))
    #expect(!range.contains(VirtualPage(20)))
    #expect(range.count == 10)
  }

  @Test("Neighbours do not overlap")
  func neighbours() {
    #expect(!range.overlaps(PageRange(start: VirtualPage(20), count: 5)))
    #expect(
      range.intersection(PageRange(start: VirtualPage(5), end: VirtualPage(12)))
        == PageRange(start: VirtualPage(10), count: 2))
    #expect(range.intersection(PageRange(start: VirtualPage(20), count: 5)) == nil)
  }
}
