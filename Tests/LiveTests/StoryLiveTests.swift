// SPDX-License-Identifier: GPL-2.0-only

import Capture
import Foundation
import MMEvents
import Replay
import Stories
import TestSupport
import Testing
import TraceFile

/// Bundled stories that a program can act, acted: what the replay of the recording claims of every page after every
/// step is what the story says, and the kernel agrees with both.
@Suite("Stories, on this host", .serialized, LiveHost.requirement, .enabled(if: StoryHost.kernel != nil))
struct StoryLiveTests {
  @Test("Every story that needs no setting of the host")
  func plain() throws { try act { $0 == StoryProgram.Needs() } }

  @Test("Stories of large folios", arguments: StoryHost.orders)
  func large(order: Int) throws {
    let setting = try LargeFolioSetting(order: order)
    defer { setting.putBack() }
    try act { $0.order == order && !$0.swap }
  }

  @Test("Stories of swap")
  func swap() throws {
    let swap = try SwapFile()
    defer { swap.remove() }
    try act { $0.swap && $0.order == 0 }
  }

  private func act(_ isWanted: (StoryProgram.Needs) -> Bool) throws {
    let kernel = try #require(StoryHost.kernel)
    let work = try Scratch()
    var subjects: [StoryComparison.Subject] = []
    for scenario in try LitmusLibrary.load(directory: StoryHost.stories) where scenario.kernels.contains(kernel) {
      guard let program = try? StoryProgram(scenario, kernel), isWanted(program.needs) else { continue }
      let base = UInt64(0x2000_0000_0000) + UInt64(subjects.count) << 32
      subjects.append(StoryComparison.Subject(scenario, program, kernel, base: base))
      let name = "s\(subjects.count)"
      try program.text.write(to: work.url.appending(path: name + ".c"), atomically: false, encoding: .utf8)
      let compile = ["gcc", "-Wall", "-Werror", "-DBASE=\(base)ul", "-o", name, name + ".c"]
      #expect(try LiveHost.run(compile, in: work).wait() == .exited(code: 0), "\(scenario.id)")
    }
    #expect(!subjects.isEmpty)
    let all = subjects.indices.map { "./s\($0 + 1) || echo \(subjects[$0].scenario.id) ended with $? >&2" }
    #expect(
      try LiveHost.record(["-o", "x.cow", "--", "sh", "-c", all.joined(separator: "\n")], in: work).wait()
        == .exited(code: 0))
    let talk = try work.read("stderr")
    #expect(!talk.contains("ended with"), "\(talk)")
    try expectAgreement(in: work)
    var comparison = StoryComparison(subjects)
    try comparison.read(work.url.appending(path: "x.cow").path)
    #expect(comparison.differences == [])
    #expect(comparison.compared > 20 * comparison.unknown, "\(comparison.compared), \(comparison.unknown) unknown")
    for subject in comparison.subjects {
      #expect(subject.stepsDone == subject.trails[0].trail.steps.count, "\(subject.scenario.id)")
    }
  }

  /// Between model and kernel.
  private func expectAgreement(in work: Scratch) throws {
    let verification = try #require(try LiveHost.objects(of: ["verify", "--json", "x.cow"], in: work).last)
    for evidence in ["decisions", "entries", "pages"] {
      let tally = try #require(verification[evidence] as? [String: Int])
      #expect(tally["disagree"] == 0, "\(evidence)")
    }
    let decisions = try #require(verification["decisions"] as? [String: Int])
    #expect(try #require(decisions["agree"]) > 50)
  }
}

/// What the stories need of the host.
enum StoryHost {
  /// The kernel here, as the stories name it.
  static let kernel: LitmusKernel? = {
    guard let release = KernelText.readIfPresent("/proc/sys/kernel/osrelease"),
      case .known(let facts) = KernelFacts.release(release)
    else { return nil }
    return LitmusKernel(name: facts.name[...])
  }()

  static let stories = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("fixtures/litmus").path

  static let orders = [2, 4, 9]
}

/// 64 MiB of swap in a file.
struct SwapFile {
  private let directory: Scratch

  init() throws {
    directory = try Scratch()
    let script = "fallocate -l 64M swap && chmod 600 swap && mkswap -q swap && swapon swap"
    try #require(try LiveHost.run(["sh", "-c", script], in: directory).wait() == .exited(code: 0))
  }

  func remove() { _ = try? LiveHost.run(["swapoff", "swap"], in: directory).wait() }
}
