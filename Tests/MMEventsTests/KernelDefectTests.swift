// SPDX-License-Identifier: GPL-2.0-only

import Testing

@testable import MMEvents

@Suite("Known defects of kernels")
struct KernelDefectTests {
  private func presence(_ name: String, _ release: String) throws -> KernelDefect.Presence {
    try #require(KernelDefect.known.first { $0.name == name }).presence(in: release)
  }

  @Test(
    "A release has a defect from the one that brought it to the one that mended it",
    arguments: [
      ("6.14.11", .absent), ("6.15.0", .present), ("6.17.9", .present), ("6.18.19", .present), ("6.18.20", .absent),
      ("6.18.44-fc-v782", .absent), ("6.19.0", .present), ("6.19.9-arch1-1", .present), ("6.19.10", .absent),
      ("7.0.1", .absent),
    ] as [(String, KernelDefect.Presence)])
  func ranges(release: String, expected: KernelDefect.Presence) throws {
    #expect(try presence("CVE-2026-31398", release) == expected)
  }

  @Test(
    "Where the patch level is not in the release, only a whole series tells",
    arguments: [
      // Debian's and Ubuntu's number the binary interface.
      ("6.12.0-1-amd64", .absent), ("6.16.0-5-generic", .present), ("6.18.0-2-amd64", .unknown),
      ("6.17", .present), ("6.18", .unknown), ("6.18.0-rc3", .unknown), ("7.1.0-1-amd64", .absent),
    ] as [(String, KernelDefect.Presence)])
  func interfaces(release: String, expected: KernelDefect.Presence) throws {
    #expect(try presence("CVE-2026-31398", release) == expected)
  }

  @Test("A series that a fix may have been ported to is not known")
  func ports() throws {
    #expect(try presence("CVE-2026-74632", "6.12.117+deb12-amd64") == .unknown)
    #expect(try presence("CVE-2026-74632", "6.18.44") == .present)
    #expect(try presence("CVE-2026-74632", "6.18.45") == .absent)
    #expect(try presence("CVE-2026-74632", "7.1.8") == .present)
  }

  @Test("What is no release tells nothing", arguments: ["unknown", "", "6", "six.one.two"])
  func noRelease(text: String) throws {
    for defect in KernelDefect.known { #expect(defect.presence(in: text) == .unknown) }
    #expect(KernelDefect.present(in: text).isEmpty)
  }

  @Test("Numbers that no release has are no harm", arguments: ["5.9223372036854775807", "9223372036854775807.0.0-1"])
  func wildNumbers(release: String) {
    #expect(KernelDefect.present(in: release).isEmpty)
  }

  @Test("Names are unique, ranges in order")
  func table() {
    #expect(Set(KernelDefect.known.map(\.name)).count == KernelDefect.known.count)
    for defect in KernelDefect.known {
      #expect(zip(defect.ranges, defect.ranges.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound })
    }
  }
}
