// SPDX-License-Identifier: GPL-2.0-only

import Capture
import Foundation
import TestSupport
import Testing
import TraceFile

/// The host the live tests run on, and the program under test.
enum LiveHost {
  /// Root, tracefs, page frame numbers: what `cowscope check` asks for.
  static let canRecord = EnvironmentCheck.run().canRecord

  static let requirement: ConditionTrait = .enabled(
    if: canRecord, "needs root and a mounted tracefs (cowscope check tells what is missing)")

  /// Files of the temporary directory may be opened with `O_DIRECT`.
  static let opensDirect: Bool = {
    #if arch(arm64)
      let direct: Int32 = 0x10000
    #else
      let direct: Int32 = 0x4000
    #endif
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("cowscope-direct-\(UUID().uuidString)")
      .path
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | direct, 0o600)
    _ = unsafe unlink(path)
    return descriptor >= 0 && close(descriptor) == 0
  }()

  /// `MADV_DONTNEED` over a whole page table frees it: an architecture has it or not, from 6.14 on.
  static let reclaimsTables =
    HostFacts.manifest(recorder: "", commandLine: [], clock: "", cpuCount: 1).kernelConfig["CONFIG_PT_RECLAIM"] == "y"

  static let instances = "/sys/kernel/tracing/instances"

  /// The built `cowscope`, which stands beside the test bundle.
  static func binary() throws -> String {
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let beside = URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("cowscope").path
    if FileManager.default.isExecutableFile(atPath: beside) { return beside }
    // A test runner of the toolchain loads the bundle: then the bundle's path is an argument.
    for argument in CommandLine.arguments where argument.contains(".xctest") {
      let path = URL(fileURLWithPath: argument).deletingLastPathComponent().appendingPathComponent("cowscope").path
      if FileManager.default.isExecutableFile(atPath: path) { return path }
    }
    throw CocoaError(.fileNoSuchFile)
  }

  /// Starts `cowscope record` in `directory`; its stderr goes to the file `stderr` there.
  static func record(_ arguments: [String], in directory: Scratch) throws -> RunningCommand {
    try run([try binary(), "record"] + arguments, in: directory)
  }

  /// Starts a program in `directory`.
  ///
  /// Not with Foundation's `Process`: that passes on the blocked signals of the test's thread.
  static func run(_ command: [String], in directory: Scratch) throws -> RunningCommand {
    let script = "cd \(directory.url.path) && exec \"$@\" >stdout 2>stderr"
    return try HeldCommand.fork(["sh", "-c", script, "sh"] + command).release()
  }

  /// The objects that a verb prints, one per line.
  static func objects(of arguments: [String], in directory: Scratch) throws -> [[String: Any]] {
    #expect(try run([try binary()] + arguments, in: directory).wait() == .exited(code: 0))
    return try directory.read("stdout").split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  /// Instances of the recorder with this pid.
  static func instances(of pid: Int32) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: instances)) ?? []
    return names.filter { TraceInstance.creator(inName: $0) == pid }
  }

  /// Waits until the recorder has no instance.
  static func areGone(instancesOf pid: Int32) -> Bool {
    for _ in 0..<6000 {
      if instances(of: pid).isEmpty { return true }
      usleep(10_000)
    }
    return false
  }

  /// Waits until the recorder's instances trace. They are switched on when they are made, so what counts is that they
  /// are on when they follow somebody.
  static func awaitTracing(by pid: Int32) throws {
    let task = "\(instances)/cowscope-\(pid)-task"
    for _ in 0..<500 {
      let followed = KernelText.readIfPresent(task + "/set_event_pid")
      if !(followed ?? "").isEmpty, KernelText.readIfPresent(task + "/tracing_on") == "1" { return }
      usleep(10_000)
    }
    throw CocoaError(.fileReadUnknown)
  }
}
