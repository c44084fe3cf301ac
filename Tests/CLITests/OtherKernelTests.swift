// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import TestSupport
import Testing

/// Captures of kernels that this machine does not run (`fixtures/captures/README.md`).
@Suite("Captures of other kernels")
struct OtherKernelTests {
  private static func fixture(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../fixtures/captures/\(name)")
      .standardizedFileURL.path
  }

  /// A copy: reading a capture directory leaves its result there.
  private static func copy(_ name: String, in scratch: Scratch) throws -> String {
    let copy = scratch.url.appending(path: name)
    try FileManager.default.copyItem(at: URL(filePath: fixture(name)), to: copy)
    return copy.path
  }

  private func verify(_ name: String, exits status: Int32) throws -> Verification {
    let scratch = try Scratch()
    let run = try Invocation("verify", "--json", try Self.copy(name, in: scratch))
    #expect(run.status == status)
    return try Verification(run)
  }

  /// `pages`: at least so many have to be comparable. Where kpageflags shows every tail, the two huge pages and the
  /// one that is cut make more than a thousand in every snapshot between the second and the last.
  @Test(
    "cow-tour: the model agrees with every decision and every page, on 6.1 with the tails of huge pages too",
    arguments: [("6.1-tour", 5_000), ("6.12-tour", 500)])
  func tour(_ name: String, pages: Int) throws {
    let found = try verify(name, exits: 0)
    // small_pages alone writes 96 shared pages three times over.
    #expect(found.decisions.checked > 288)
    #expect(found.decisions.disagree == 0)
    #expect(found.decisions.unknown * 100 <= found.decisions.checked)
    #expect(found.pages.checked >= pages)
    #expect(found.pages.disagree == 0)
    #expect(found.pages.unknown * 100 <= found.pages.checked)
  }

  @Test(
    "cow-tour move: the type of every migration entry is the model's, whatever numbers the kernel gives them",
    arguments: ["6.1-two-nodes", "6.12-two-nodes"])
  func migration(_ name: String) throws {
    let found = try verify(name, exits: 0)
    // 64 small pages move at least once.
    #expect(found.entries.checked >= 64)
    #expect(found.entries.disagree == 0 && found.entries.unknown == 0)
    // What came back from a migration is written: all 64 pages in the end.
    #expect(found.decisions.checked >= 32)
    #expect(found.decisions.disagree == 0 && found.decisions.unknown == 0)
  }

  @Test(
    "Sixteen pages at a time are read-only and exclusive when they move",
    arguments: [
      "6.1-two-nodes", "6.12-two-nodes", "6.12-arm64-two-nodes.dat",
    ])
  func readExclusive(_ name: String) throws {
    let run = try Invocation("script", Self.fixture(name))
    #expect(run.status == 0)
    let entries = run.output.split(separator: "\n").filter { $0.contains(" migration_set ") }
    let exclusive = entries.filter { $0.contains(" read-exclusive") }
    #expect(!exclusive.isEmpty && exclusive.count % 16 == 0)
    // The pages that stay with the parent alone are writable or read-only, half and half; the child's are shared.
    #expect(entries.contains { $0.contains(" write ") } && entries.contains { $0.contains(" read ") })
  }

  /// Sixteen pages a call: a buffer that is registered, memory of another process that is read, and written; since 6.5
  /// what a file is written from and read into with O_DIRECT as well.
  @Test(
    "pin-tour: every pin and every release shows, once, and nothing of what they decide is unknown",
    arguments: [("6.1-pins", 3), ("6.12-pins", 5), ("7.2-pins", 5)])
  func pins(_ name: String, calls: Int) throws {
    let scratch = try Scratch()
    let script = try Invocation("script", "--json", try Self.copy(name, in: scratch))
    func count(_ event: String) -> Int {
      script.output.split(separator: "\n").filter { $0.contains("\"event\":\"\(event)\"") }.count
    }
    #expect(count("pin_began") == calls && count("pin_ended") == calls)
    #expect(count("unpinned") == 16 * calls)
    let found = try verify(name, exits: 0)
    // `put` writes that many pages that fork, or a pin to read, has left read-only: 16, 8 + 32, 16 + 16, 16 + 16.
    #expect(found.decisions.checked >= 120)
    // Parent and child may both be at a page of their stacks.
    #expect(found.decisions.disagree == 0 && found.decisions.unknown <= 3)
    let unknown = try Invocation("verify", "--json", try Self.copy(name, in: try Scratch())).output
    #expect(!unknown.contains("came or moved at an address") && !unknown.contains("O_DIRECT may have"))
  }

  @Test("pin-tour: B that keeps its bits when a page becomes exclusive shares, for certain, what fork finds pinned")
  func conservativePin() throws {
    let scratch = try Scratch()
    let run = try Invocation("replay", "--without", "b.install.clear", try Self.copy("6.12-pins", in: scratch))
    #expect(run.output.contains("breaks I5") && run.output.contains("CONS-pin at fork, order 0, definite"))
    #expect(!(try Invocation("replay", try Self.copy("6.1-pins", in: scratch)).output.contains("breaks")))
  }

  @Test("Without page faults nothing is claimed: limits are told, verdicts are possible, the answer is open")
  func withoutFaults() throws {
    let name = "6.12-arm64-tour.dat"
    let scratch = try Scratch()
    let found = try verify(name, exits: 3)
    for tally in [found.decisions, found.entries, found.pages] {
      #expect(tally.agree == 0 && tally.disagree == 0)
    }
    let copy = try Self.copy(name, in: scratch)
    let replay = try Invocation("replay", "--json", copy)
    #expect(replay.status == 3)
    #expect(replay.output.contains(#""limits":["no-page-faults","#))
    #expect(!replay.output.contains(#""certainty":"definite""#))
    // small_pages forks twice, huge_pages and cut_pages once each.
    #expect(replay.output.contains(#""forks":4"#))
    #expect(try Invocation("replay", copy).output.contains("no page faults"))
  }
}
