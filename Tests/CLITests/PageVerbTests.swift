// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import Testing

@Suite("Pages of captures")
struct PageVerbTests {
  private static let capture = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "fixtures/captures/6.12-tour").path

  /// Where the first divergence of the report is.
  private func place() throws -> (sequence: Substring, mm: Substring, address: Substring, encoding: Substring) {
    let report = try Invocation("replay", Self.capture, "--json", "--audit", "none")
    let line = try #require(report.output.split(separator: "\n").first { $0.contains(#""type":"divergence""#) })
    func field(_ name: String) throws -> Substring {
      let match = try #require(line.firstMatch(of: try Regex<(Substring, Substring)>(#""\#(name)":"?([^",}]+)"#)))
      return match.output.1
    }
    return (try field("first_seq"), try field("mm"), try field("addr"), try field("encoding"))
  }

  @Test("The page of a divergence: its encoding differs from the event on at which it was found")
  func divergence() throws {
    let place = try place()
    let page = try Invocation("page", Self.capture, String(place.address), "--encoding", String(place.encoding))
    #expect(page.status == 0 && page.talk == "")
    let lines = page.output.split(separator: "\n")
    // The event may be one that tells nothing of the page itself: that another one of its folio was copied.
    let until = try #require(UInt64(place.sequence))
    let told = lines.prefix { line in
      line.split(separator: " ").first.flatMap { UInt64($0) }.map { $0 <= until } ?? true
    }
    let note = told.last { $0.contains(": ") && $0.hasPrefix("                ") }
    #expect(note?.contains("\(place.encoding): ") == true)
    #expect(lines.contains { $0.hasPrefix("AT THE END") })
  }

  @Test("Every fault that script has of an address is in its life")
  func complete() throws {
    let address = String(try place().address)
    let script = try Invocation("script", Self.capture, "--addr", address)
    let faults = script.output.split(separator: "\n").filter { $0.contains(" fault addr=\(address) ") }
    let life = try Invocation("page", Self.capture, address)
    let told = Set(life.output.split(separator: "\n").compactMap { $0.split(separator: " ").first })
    #expect(!faults.isEmpty)
    for fault in faults { #expect(told.contains(try #require(fault.split(separator: " ").first))) }
  }

  @Test("What is no page, or not in the capture")
  func nothing() throws {
    let wrong = try Invocation("page", Self.capture, "here")
    #expect(wrong.status == 64)
    #expect(wrong.talk.hasPrefix("cowscope: 'here' is neither an address (0x...) nor the number of a page frame\n"))
    #expect(try Invocation("page", Self.capture, "12", "--pid", "1").status == 64)
    let nowhere = try Invocation("page", Self.capture, "0x1000")
    #expect(nowhere.status == 3 && nowhere.output == "")
    #expect(nowhere.talk == "cowscope: \(Self.capture): nothing is about 0x1000\n")
  }
}
