// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import MMEvents
import Replay
import TestSupport
import Testing

@testable import Pipeline

/// What is missing from a capture must not become a verdict. A few damages always run; `COWSCOPE_DAMAGES=1000` in the
/// environment runs as many, and prints a line for each that is not as it should be.
@Suite("Damaged captures")
struct DamagedCaptureTests {
  static let captures = ["6.18-shell", "6.1-tour", "6.12-tour", "6.1-two-nodes", "6.12-two-nodes"]

  /// The same capture, whole and damaged, replayed.
  struct Pair {
    var name: String
    var intact: ReplayResult
    var damaged: ReplayResult

    /// Verdicts of proposals that are certain, and that the whole capture does not have.
    var newDefinite: [String] {
      let known = Set(intact.divergences.compactMap(Self.definite))
      return Set(damaged.divergences.compactMap(Self.definite)).subtracting(known).sorted()
    }

    /// C-raw and A-or are instruments, BETTER is no fault.
    private static func definite(_ divergence: Divergence) -> String? {
      guard divergence.certainty == .definite, divergence.count > 0, divergence.verdict != .better,
        ![.cRaw, .aOr].contains(divergence.encoding)
      else { return nil }
      return "\(divergence.encoding.rawValue) \(divergence.verdict.rawValue) at \(divergence.transition.rawValue)"
    }

    /// What the kernel is accused of.
    var accusations: UInt64 {
      let kernel = damaged.audits.first { $0.name == "kernel" }
      return (kernel?["loss_pages"] ?? 0) + (kernel?["unsafe_pages"] ?? 0)
    }

    var newDisagreements: UInt64 {
      func count(_ result: ReplayResult) -> UInt64 {
        [result.verification.decisions, result.verification.entries, result.verification.pages]
          .reduce(0) { $0 + $1.disagree }
      }
      return count(damaged) > count(intact) ? count(damaged) - count(intact) : 0
    }

    /// Anything that shows that the capture is not whole.
    var showsDamage: Bool {
      !damaged.loss.perCPU.isEmpty || damaged.gaps.total(.loss) > intact.gaps.total(.loss)
        || damaged.gaps.total(.doubt) > intact.gaps.total(.doubt) || newDisagreements > 0
        || damaged.trust.state != intact.trust.state
    }
  }

  static let count = ProcessInfo.processInfo.environment["COWSCOPE_DAMAGES"].flatMap { Int($0) }

  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func replay(_ path: String) throws -> ReplayResult {
    try Analysis(path: path).replay()
  }

  /// Damages a copy; `nil` when the capture has no place for it.
  private func damage(_ name: String, _ damage: Damage, seed: UInt64, keepsCounters: Bool) throws -> String? {
    let fixture = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../fixtures/captures/\(name)").standardizedFileURL
    let copy = scratch.url.appending(path: "\(name)-\(seed)")
    var image = try #require(TraceImage([UInt8](try Data(contentsOf: fixture.appending(path: "trace.dat")))))
    var manifest =
      try JSONSerialization.jsonObject(with: Data(contentsOf: fixture.appending(path: "capture.json")))
      as? [String: Any]
      ?? [:]
    var stats = manifest["cpuStats"] as? [[String: Any]] ?? []
    var dice = Dice(state: seed)
    let done = damage.apply(to: &image, &dice) { buffer, cpu, records in
      for index in stats.indices
      where stats[index]["buffer"] as? String == (buffer == 0 ? "host" : "task") && stats[index]["cpu"] as? Int == cpu {
        stats[index]["dropped"] = records
        stats[index]["read"] = (stats[index]["read"] as? Int ?? 0) - records
      }
    }
    guard done else { return nil }
    // A recorder that lost records did not read them: its counters would tell of every other damage.
    if keepsCounters { manifest["cpuStats"] = stats } else { manifest["cpuStats"] = [] as [Any] }
    try FileManager.default.copyItem(at: fixture, to: copy)
    try Data(image.bytes).write(to: copy.appending(path: "trace.dat"))
    try JSONSerialization.data(withJSONObject: manifest).write(to: copy.appending(path: "capture.json"))
    return copy.path
  }

  private func pairs(
    _ damages: [Damage], count: Int, seed first: UInt64, keepsCounters: (Damage) -> Bool,
    _ body: (Pair) throws -> Void
  ) throws {
    let intact = try Dictionary(
      uniqueKeysWithValues: Self.captures.map { name in
        let fixture = URL(filePath: #filePath).deletingLastPathComponent().appending(
          path: "../../fixtures/captures/\(name)")
        return (name, try replay(fixture.standardizedFileURL.path))
      })
    var (done, seed) = (0, first)
    while done < count {
      seed += 1
      let name = Self.captures[Int(seed) % Self.captures.count]
      let damage = damages[Int(seed / 5) % damages.count]
      guard let path = try self.damage(name, damage, seed: seed, keepsCounters: keepsCounters(damage)) else { continue }
      let pair = Pair(
        name: "\(name) \(damage) seed \(seed)", intact: try #require(intact[name]), damaged: try replay(path))
      try FileManager.default.removeItem(atPath: path)
      try body(pair)
      done += 1
    }
  }

  @Test("Marked loss: told, no verdict that the whole capture does not have, no disagreement")
  func marked() throws {
    try pairs(Damage.marked, count: Self.count ?? 12, seed: 1000, keepsCounters: { $0 == .markedTail }) { pair in
      #expect(!pair.damaged.loss.perCPU.isEmpty, "\(pair.name)")
      #expect(pair.newDefinite.isEmpty, "\(pair.name)")
      #expect(pair.accusations == 0, "\(pair.name)")
      #expect(pair.newDisagreements == 0, "\(pair.name)")
      guard Self.count != nil, !pair.newDefinite.isEmpty || pair.newDisagreements > 0 else { return }
      print("\(pair.name): \(pair.newDisagreements) new disagreements, \(pair.newDefinite)")
    }
  }

  @Test("Damage without a word: what the recorder counted tells of it")
  func counted() throws {
    let damages: [Damage] = [.records, .subBuffers, .tail]
    try pairs(damages, count: max((Self.count ?? 12) / 5, 6), seed: 5000, keepsCounters: { _ in true }) { pair in
      #expect(!pair.damaged.loss.perCPU.isEmpty, "\(pair.name)")
    }
  }

  @Test(
    "Damage without a word, and nobody counted: trust goes where anything shows, and few verdicts are new where not")
  func unmarked() throws {
    var (unseen, wrong) = (0, 0)
    let count = (Self.count ?? 12) / 2
    try pairs(Damage.unmarked, count: count, seed: 9000, keepsCounters: { _ in false }) { pair in
      guard !pair.showsDamage else { return }
      unseen += 1
      guard !pair.newDefinite.isEmpty else { return }
      wrong += 1
      print("no sign, new verdict: \(pair.name): \(pair.newDefinite)")
    }
    if Self.count != nil { print("\(count) unmarked damages: \(unseen) without a sign, \(wrong) with a new verdict") }
    #expect(wrong * 100 <= count)
  }
}
