// SPDX-License-Identifier: GPL-2.0-only

import Capture
import Foundation
import TestSupport
import Testing
import TraceFile

/// What is recorded here and now, the model must agree with: the kernel is the referee.
@Suite("Model and kernel, on this host", .serialized, LiveHost.requirement)
struct VerifyLiveTests {
  @Test("Shells that fork, copy and run programs")
  func shells() throws {
    try expectAgreement(
      of: ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do (a=$i; b=$a); done; seq 20000 | sort -R | md5sum"])
  }

  @Test("A thread that is not the leader runs a program: it goes on under the leader's id", .enabled(if: hasPython))
  func execveByThread() throws {
    let program = """
      import os, threading
      memory = bytearray(1 << 20)
      run = lambda: os.execvp("sh", ["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do (a=$i; b=$a); done"])
      if os.fork() == 0:
          memory[::4096] = bytes(256)
          os._exit(0)
      os.wait()
      threading.Thread(target=run).start()
      threading.Event().wait()
      """
    try expectAgreement(of: [Self.python, "-c", program])
  }

  @Test(
    "O_DIRECT into memory that a child shares, and out of it: every copy has its place", .enabled(if: hasPython),
    .enabled(if: LiveHost.opensDirect, "the file system of the temporary directory refuses O_DIRECT"))
  func directIO() throws {
    let program = LiveHost.directIO(rounds: 10)
    let gaps = try expectAgreement(of: [Self.python, "-c", program])
    // 320 pages came in so.
    #expect(!gaps.contains("placeless-pages") && !gaps.contains("pins-not-followed"))
  }

  @Test(
    "Scans for huge pages count as the model does: full, holes, shared, a zero page", .enabled(if: hasPython),
    .enabled(if: KernelText.readIfPresent("/sys/kernel/mm/transparent_hugepage/enabled")?.contains("[never]") == false))
  func scans() throws {
    let program = """
      import ctypes, mmap, os
      HUGE = 2 << 20
      memory = mmap.mmap(-1, 5 * HUGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
      start = -ctypes.addressof(ctypes.c_char.from_buffer(memory)) % HUGE
      memory.madvise(mmap.MADV_NOHUGEPAGE)
      for number, step in enumerate((1, 2, 1, 1)):
          for page in range(0, 512, step):
              if (number, page) != (3, 7):
                  memory[start + number * HUGE + (page << 12)] = 1
      memory[start + 3 * HUGE + (7 << 12)]
      receive, send = os.pipe()
      child = os.fork()
      if child == 0:
          os.read(receive, 1)
          os._exit(0)
      memory.madvise(mmap.MADV_HUGEPAGE)
      for number in range(4):
          memory.madvise(25, start + number * HUGE, HUGE)
      os.write(send, b"x")
      os.waitpid(child, 0)
      """
    let work = try Scratch()
    #expect(
      try LiveHost.record(["-o", "x.cow", "--", Self.python, "-c", program], in: work).wait() == .exited(code: 0))
    let verification = try lastObject(of: ["verify", "--json", "x.cow"], in: work)
    let tally = try #require(verification["scans"] as? [String: Int])
    // One scan each, and others where a page was not on the LRU yet, or of khugepaged.
    #expect(try #require(tally["agree"]) >= 4)
    #expect(tally["disagree"] == 0)
  }

  private static let python = "/usr/bin/python3"
  private static let hasPython = FileManager.default.isExecutableFile(atPath: python)

  /// Returns the gaps that were met.
  @discardableResult
  private func expectAgreement(of command: [String]) throws -> [String] {
    let work = try Scratch()
    #expect(try LiveHost.record(["-o", "x.cow", "--"] + command, in: work).wait() == .exited(code: 0))
    let verification = try lastObject(of: ["verify", "--json", "x.cow"], in: work)
    for evidence in ["decisions", "entries", "pages", "scans"] {
      let tally = try #require(verification[evidence] as? [String: Int])
      #expect(tally["disagree"] == 0, "\(evidence)")
      if evidence == "decisions" { #expect(try #require(tally["agree"]) > 100) }
    }
    let gaps = try LiveHost.objects(of: ["replay", "--json", "x.cow"], in: work).filter {
      $0["type"] as? String == "gap"
    }
    .compactMap { $0["name"] as? String }
    // What the model maps is what the kernel maps: neither fork's totals nor what is freed says otherwise.
    #expect(!gaps.contains("frames-freed-while-mapped"))
    #expect(!gaps.contains("fork-count-differs"))
    return gaps
  }

  private func lastObject(of arguments: [String], in work: Scratch) throws -> [String: Any] {
    try #require(try LiveHost.objects(of: arguments, in: work).last)
  }
}
