// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import TestSupport
import Testing

/// A real recording of a shell that forks and execs, from raw records to the verdicts.
@Suite("The bundled capture of 6.18")
struct FixtureTests {
  private let scratch: Scratch
  private let capture: String

  init() throws {
    scratch = try Scratch()
    let fixture = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../fixtures/captures/6.18-shell").standardizedFileURL
    let copy = scratch.url.appending(path: "shell.cow")
    try FileManager.default.copyItem(at: fixture, to: copy)
    capture = copy.path
  }

  @Test("The model agrees with the kernel on every copy-or-reuse decision")
  func verify() throws {
    let run = try Invocation("verify", "--json", capture)
    #expect(run.status == 0)
    let counts = try Verification(run).decisions
    // A shell that forks seven times copies at least its stack and heap pages each time.
    #expect(counts.checked > 100)
    #expect(counts.disagree == 0)
    #expect(counts.unknown * 100 <= counts.checked)
  }

  @Test("Two replays give the same bytes")
  func deterministic() throws {
    let first = try Invocation("replay", "--json", capture)
    #expect(first.status == 0)
    #expect(first.output.contains("\"type\":\"summary\""))
    #expect(try Invocation("replay", "--json", capture).output == first.output)
  }

  @Test("On small folios the folio flag, the bitmap and the strict PTE bits never differ from today's flag")
  func smallFoliosAgree() throws {
    let run = try Invocation("replay", "--json", capture)
    let divergences = run.output.split(separator: "\n").filter { $0.contains("\"type\":\"divergence\"") }
    #expect(!divergences.isEmpty)
    #expect(divergences.allSatisfy { $0.contains("\"encoding\":\"C-raw\"") })
  }
}
