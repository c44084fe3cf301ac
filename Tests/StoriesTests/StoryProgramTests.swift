// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import Replay
import Stories
import TestSupport
import Testing

/// What stories become in C, against what a programmer would write for them.
struct StoryProgramTests {
  private func program(_ steps: String, kernels: String = "6.18", header: String = "") throws -> StoryProgram {
    let text = "example X \"a title\"\nkernels \(kernels)\n\(header)\nverdict B: OK\n" + steps
    let scenario = try #require(try LitmusParser.parse(text, file: "x.litmus").first)
    return try StoryProgram(scenario, try #require(scenario.kernels.max()))
  }

  /// The statements of each step, in order, without its comment and `break`.
  private func cases(_ program: StoryProgram) -> [[String]] {
    let body = program.text.components(separatedBy: "switch (step) {\n")[1].components(separatedBy: "\n    }\n")[0]
    return body.components(separatedBy: "    case ").dropFirst().map { part in
      part.split(separator: "\n").dropFirst().map { $0.trimmingCharacters(in: .whitespaces) }.filter { $0 != "break;" }
    }
  }

  /// Whose turn each step is, who comes into being, and whether somebody ends.
  private func turns(_ program: StoryProgram) -> [String] {
    let table = program.text.components(separatedBy: "} steps[] = {\n")[1].components(separatedBy: "\n};")[0]
    return table.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
  }

  @Test("Parent and child of a fork take turns on a page that they share")
  func fork() throws {
    let program = try program(
      """
      process P
      vma P 0..15
      P writes 3
      fork P -> Q
      Q writes 3
      Q exits
      P reads 3..4
      """)
    #expect(
      cases(program) == [
        ["begin(P);"], ["map(0, 16, PROT_READ | PROT_WRITE, -1);"], ["store(3, 1, 1, 3);"], ["begin(Q);"],
        ["store(3, 1, 1, 5);"], ["_exit(0);"], ["load(3, 2, 1);"],
      ])
    #expect(
      turns(program) == [
        "{-1, P, 0},", "{P, -1, 0},", "{P, -1, 0},", "{P, Q, 0},", "{Q, -1, 0},", "{Q, -1, 1},", "{P, -1, 0},",
      ])
    #expect(program.processes == ["P", "Q"] && program.needs == StoryProgram.Needs())
  }

  @Test("Layout calls have the story's pages and protections")
  func layout() throws {
    let program = try program(
      """
      process P
      vma P 0..1023 rx dontfork
      vma P 2048..2051 ro file
      P mprotect 0..1 rw
      P writes 0
      P mremap 0..1 -> 512 ptes
      P madvise dontneed 512..513
      P munmap 2048..2049
      """)
    #expect(
      Array(cases(program).dropFirst()) == [
        ["map(0, 1024, PROT_READ | PROT_EXEC, -1);", "advise(0, 1024, MADV_DONTFORK);"],
        ["map(2048, 4, PROT_READ, file(2052));"], ["ok(mprotect(at(0), pages(2), PROT_READ | PROT_WRITE));"],
        ["store(0, 1, 1, 5);"], ["move(0, 2, 512);"], ["advise(512, 2, MADV_DONTNEED);"],
        ["ok(munmap(at(2048), pages(2)));"],
      ])
  }

  @Test("A large folio is asked for in its whole VMA, for as long as its first store takes, and filled")
  func largeFolio() throws {
    let program = try program("process P\nvma P 0..31\nP writes 5 order 2\nP writes 6 order 2\nP writes 20")
    #expect(
      Array(cases(program).dropFirst(2)) == [
        [
          "advise(0, 32, MADV_HUGEPAGE);", "store(5, 1, 1, 3);", "store(4, 4, 1, 3);",
          "advise(0, 32, MADV_NOHUGEPAGE);",
        ],
        ["store(6, 1, 1, 4);"], ["store(20, 1, 1, 5);"],
      ])
    #expect(program.needs.order == 2)
    // Nothing larger may take its place.
    #expect(program.text.contains("is_on(16)") && program.text.contains("!is_on(2048)"))
  }

  @Test("Pages that nobody else maps go to swap; what is refused is expected to be refused")
  func swap() throws {
    let program = try program(
      "process P\nvma P 0..15\nP writes 0..1\nswapout P 0..1\nP mprotect 2 ro\nP writes 2\nP force-writes 2")
    #expect(
      Array(cases(program).dropFirst(3)) == [
        ["swap_out(0, 2);"], ["ok(mprotect(at(2), pages(1), PROT_READ));"], ["refused_store(2, 1, 1);"],
        ["check(force_store(P, 2, 1) == 0, \"/proc/PID/mem\");"],
      ])
    #expect(program.needs.swap)
    #expect(turns(program).last == "{-1, -1, 0},")
  }

  @Test(
    "The first step that user space cannot take is named",
    arguments: [
      ("P writes 0\nmigrate P 0\nnuma-scan P 0", "migrate P 0"), ("P writes 0\nnuma-scan P 0", "numa-scan P 0"),
      ("P writes 0\nfork P -> Q\nswapout P 0", "swapout P 0: others map the folio too"),
      ("P pins 0 write\nfork P -> Q\nP unpins 0", "P pins 0 write"),
      ("P writes 0 order 2\nP writes 4 order 3", "P writes 4 order 3: beside folios of order 2"),
      ("fork P -> Q fails before 0", "fork P -> Q fails before 0"),
    ])
  func refusals(_ steps: String, _ what: String) throws {
    #expect(throws: StoryProgram.Obstacle.self) { try program("process P\nvma P 0..15\n" + steps) }
    do {
      _ = try program("process P\nvma P 0..15\n" + steps)
    } catch let obstacle as StoryProgram.Obstacle {
      #expect(obstacle.what == what)
      #expect((5...10).contains(try #require(obstacle.line)))
    }
  }

  @Test("A machine that is not this one is no step")
  func machine() throws {
    for header in ["machine arm64", "swap-device stable-writes"] {
      do {
        _ = try program("process P", header: header)
        Issue.record("\(header) is performable")
      } catch let obstacle as StoryProgram.Obstacle {
        #expect(obstacle.line == nil && obstacle.what == header)
      }
    }
  }

  private static let compiler = "/usr/bin/gcc"

  @Test(
    "What is written of the bundled stories compiles without a warning, and ends as it should",
    .enabled(if: FileManager.default.isExecutableFile(atPath: compiler), "there is no gcc"))
  func compiles() throws {
    let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("fixtures/litmus").path
    let work = try Scratch()
    var written = 0
    for id in ["A-01", "B-05", "C-10", "G-03", "O-32", "M-01"] {
      let scenario = try #require(try LitmusLibrary.load(file: "\(directory)/\(id).litmus").first)
      let program = try StoryProgram(scenario, .v6_18)
      let file = work.url.appending(path: "\(id).c")
      try program.text.write(to: file, atomically: false, encoding: .utf8)
      #expect(
        try run(Self.compiler, ["-Wall", "-Wextra", "-Werror", "-o", "\(id)", "\(id).c"], in: work) == 0, "\(id)")
      // Large folios may be off.
      #expect([0, program.needs == StoryProgram.Needs() ? 0 : 77].contains(try run(id, [], in: work)), "\(id)")
      written += 1
    }
    #expect(written == 6)
  }

  private func run(_ program: String, _ arguments: [String], in work: Scratch) throws -> Int32 {
    let process = Process()
    process.executableURL = program.hasPrefix("/") ? URL(fileURLWithPath: program) : work.url.appending(path: program)
    process.arguments = arguments
    process.currentDirectoryURL = work.url
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }
}
