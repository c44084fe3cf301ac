// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import TestSupport
import Testing

/// Mutated captures through the whole pipeline, as a user runs it: no trap, no hang, no hunger. A few always run;
/// `COWSCOPE_MUTATIONS=10000` in the environment runs as many, and prints the seed of each that fails.
@Suite("Mutated captures")
struct MutatedInputTests {
  static let count = ProcessInfo.processInfo.environment["COWSCOPE_MUTATIONS"].flatMap { Int($0) } ?? 40
  static let firstSeed = ProcessInfo.processInfo.environment["COWSCOPE_SEED"].flatMap { UInt64($0) } ?? 1

  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../fixtures")
    .standardizedFileURL
  private static let binary = [
    "captures/6.18-shell/trace.dat", "captures/6.1-tour/trace.dat", "captures/6.12-tour/trace.dat",
    "captures/6.12-two-nodes/trace.dat", "captures/6.12-arm64-two-nodes.dat", "tracefile/two-buffers-zstd.dat",
  ]

  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// What numbers of records are replaced by: edges of everything.
  private static let numbers: [UInt64] = ([0, 12, 30, 31, 32, 46, 47, 52, 63] as [UInt64]).flatMap { bit in
    [(1 as UInt64) << bit, ((1 as UInt64) << bit) &- 1]
  }

  /// Numbers of text lines are replaced by edges, by other numbers of the trace, and lines go elsewhere.
  static func mutateText(_ text: String, _ dice: inout Dice) -> String {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    for _ in 0...dice.roll(12) {
      let (line, other) = (dice.roll(lines.count), dice.roll(lines.count))
      switch dice.roll(6) {
      case 0: lines.swapAt(line, other)
      case 1: lines.insert(lines[other], at: line)
      case 2: lines.remove(at: line)
      default:
        var words = lines[line].split(separator: "=", omittingEmptySubsequences: false).map(String.init)
        guard words.count > 1 else { continue }
        let word = 1 + dice.roll(words.count - 1)
        let rest = words[word].drop { $0.isHexDigit || $0 == "x" }
        let number = Self.numbers[dice.roll(Self.numbers.count)]
        words[word] = (dice.roll(2) == 0 ? "0x" + String(number, radix: 16) : String(number)) + rest
        lines[line] = words.joined(separator: "=")
      }
    }
    return lines.joined(separator: "\n")
  }

  /// Fields of records are replaced; sometimes any byte of the file is.
  static func mutateBinary(_ bytes: [UInt8], _ dice: inout Dice) -> [UInt8] {
    guard dice.roll(4) > 0, var image = TraceImage(bytes) else {
      var bytes = bytes
      for _ in 0...dice.roll(8) { bytes[dice.roll(bytes.count)] = UInt8(truncatingIfNeeded: dice.next()) }
      return bytes
    }
    for _ in 0...dice.roll(24) {
      let pages = image.subBuffers(image.cpus[dice.roll(image.cpus.count)])
      let page = pages[dice.roll(pages.count)]
      let records = image.records(page)
      guard !records.isEmpty else { continue }
      let record = records[dice.roll(records.count)]
      let size = [1, 2, 4, 8][dice.roll(4)]
      guard record.length - 4 >= size else { continue }
      let place = record.place + 4 + dice.roll((record.length - 4) / size) * size
      switch dice.roll(8) {
      case 0: image.set(dice.next(), at: place, size)
      case 1: image.set(dice.next(), at: page + dice.roll(16), 1)
      case 2: image.set(UInt64(dice.roll(2000)), at: record.place + 4, 2)
      default: image.set(numbers[dice.roll(numbers.count)], at: place, size)
      }
    }
    return image.bytes
  }

  private func mutated(_ seed: UInt64) throws -> String {
    var dice = Dice(state: seed)
    if seed % 2 == 0 {
      let text = try String(contentsOf: Self.fixtures.appending(path: "tracefile/shell-report.txt"), encoding: .utf8)
      return try scratch.write(Self.mutateText(text, &dice), to: "mutated-\(seed).txt")
    }
    let name = Self.binary[Int(seed / 2) % Self.binary.count]
    let bytes = [UInt8](try Data(contentsOf: Self.fixtures.appending(path: name)))
    let path = scratch.path("mutated-\(seed).dat")
    try Data(Self.mutateBinary(bytes, &dice)).write(to: URL(filePath: path))
    return path
  }

  @Test("Every end is one that the commands know")
  func wholePipeline() throws {
    for seed in Self.firstSeed..<(Self.firstSeed + UInt64(Self.count)) {
      let path = try mutated(seed)
      let run = try Invocation(
        shell: "ulimit -v 4000000; timeout 60 $cowscope replay -q --fail-on divergence '\(path)'")
      #expect([0, 1, 2, 3].contains(run.status), "seed \(seed): \(run.talk.split(separator: "\n").prefix(12))")
      if ![0, 1, 2, 3].contains(run.status) {
        let trap = run.talk.split(separator: "\n").filter { $0.contains("Fatal") || $0.contains(" at /") }.prefix(4)
        print("seed \(seed): status \(run.status): \(trap.joined(separator: " | "))")
      }
      try FileManager.default.removeItem(atPath: path)
    }
  }
}
