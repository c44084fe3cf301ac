// SPDX-License-Identifier: GPL-2.0-only

import Capture
import Foundation
import SystemPackage
import TestSupport
import Testing
import TraceFile

@Suite("The held command")
struct HeldCommandTests {
  @Test("It executes nothing before its release, then everything, and its status comes back")
  func release() throws {
    let directory = try Scratch()
    let held = try HeldCommand.fork(["sh", "-c", "echo ran > \(directory.path)/proof; exit 5"])
    // Blocked in read(2) on the gate: asleep, and still this program.
    var name = ""
    for _ in 0..<200 where name.isEmpty {
      let stat = (try? String(contentsOfFile: "/proc/\(held.pid)/stat", encoding: .utf8)) ?? ""
      if ProcessStat.state(in: stat) == "S" { name = stat }
      usleep(5000)
    }
    #expect(!name.isEmpty)
    #expect(!name.contains("(sh)"))
    #expect(!directory.exists("proof"))
    let command = try held.release()
    #expect(command.wait() == .exited(code: 5))
    #expect(try directory.read("proof") == "ran\n")
  }

  @Test("Abandoned, it never runs")
  func abandon() throws {
    let directory = try Scratch()
    let held = try HeldCommand.fork(["touch", directory.path + "/proof"])
    let pid = held.pid
    held.abandon()
    #expect(!directory.exists("proof"))
    #expect(kill(pid, 0) != 0)
  }

  @Test("A command that does not exist is told before anything is set up, one that cannot be executed too")
  func check() throws {
    let directory = try Scratch()
    let plain = try directory.write("text", to: "plain")
    #expect(throws: CaptureError.command(name: "/no/such", .noSuchFileOrDirectory)) {
      try HeldCommand.check("/no/such", path: "/bin")
    }
    #expect(throws: CaptureError.command(name: "no-such", .noSuchFileOrDirectory)) {
      try HeldCommand.check("no-such", path: "/bin:/usr/bin")
    }
    #expect(throws: CaptureError.command(name: plain, .permissionDenied)) {
      try HeldCommand.check(plain, path: "/bin")
    }
    try HeldCommand.check("sh", path: "/nowhere:/bin")
  }

  @Test("When exec itself fails, the reason is exec's")
  func execFails() throws {
    let held = try HeldCommand.fork(["/no/such/command"])
    do {
      _ = try held.release()
      Issue.record("released")
    } catch {
      #expect(error == .command(name: "/no/such/command", .noSuchFileOrDirectory))
    }
  }

  @Test("Killed by a signal it counts 128 + N, as in a shell")
  func status() throws {
    let command = try HeldCommand.fork(["sh", "-c", "kill -KILL $$"]).release()
    let status = command.wait()
    #expect(status == .signaled(signal: 9))
    #expect(status.shellStatus == 137)
    #expect(CaptureManifest.CommandStatus.exited(code: 3).shellStatus == 3)
  }
}
