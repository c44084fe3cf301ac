// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay
import Report
import Testing

@Suite("Merged results")
struct MergeTests {
  private func file(
    _ result: ReplayResult, _ capture: String, host: String = "a", tool: String = "cowscope 0.1"
  ) throws -> [UInt8] {
    try ResultOrigin(capture: capture, host: host, kernel: result.capture.kernel, tool: tool)
      .appended(to: try ResultWriter().lines(of: result))
  }

  /// One file after the other, as the verb does.
  private func merged(_ files: [[UInt8]]) throws -> [UInt8] {
    var merged = MergedResult.empty
    for file in files { try merged.add(try MergedFile.read(file)) }
    return try MergedFile.lines(of: merged)
  }

  private func lines(_ bytes: [UInt8], _ type: String) -> [String] {
    text(bytes).split(separator: "\n").map(String.init).filter { $0.contains("\"type\":\"\(type)\"") }
  }

  @Test("Any split and any order of a set of results merges to the same bytes", arguments: 0..<40)
  func anyOrder(seed: Int) throws {
    var random = Dice(UInt64(seed))
    let files = try (0..<Int(random.roll(7) + 2)).map { index in
      try file(random.result(), "c\(index)", host: "h\(random.roll(3))", tool: "cowscope 0.\(random.roll(2))")
    }
    let straight = try merged(files)
    for _ in 0..<4 {
      var left = files.shuffled(using: &random)
      // Any two, until one is left: a tree of merges.
      while left.count > 1 {
        let (a, b) = (left.removeLast(), left.removeLast())
        let third = left.count > 1 && random.roll(2) == 0 ? [left.removeLast()] : []
        left.insert(try merged([a, b] + third), at: Int(random.roll(UInt64(left.count) + 1)))
      }
      #expect(text(left[0]) == text(straight))
    }
    // What is written and read back is the same.
    #expect(text(try merged([straight])) == text(straight))
  }

  @Test("Counts are sums, peaks are the highest, and what a capture cannot show is not a 0 of it")
  func counts() throws {
    var first = Sample.result([Sample.divergence(.b, .conservativeCopy, rule: .i1, count: 3)])
    first.encodings = [encoding(checks: 10, copies: 3, peak: 640)]
    (first.forks, first.faults, first.events, first.trustedNanoseconds) = (2, 30, 100, 7)
    var second = Sample.result([Sample.divergence(.b, .conservativeCopy, rule: .i1, count: 4)])
    second.encodings = [encoding(checks: 20, copies: 4, peak: 128)]
    second.capture.capabilities.remove(.pins)
    (second.forks, second.faults, second.events, second.trustedNanoseconds) = (5, nil, 200, 11)
    let bytes = try merged([try file(first, "c1"), try file(second, "c2", host: "b")])
    let head = try #require(lines(bytes, "merge").first)
    #expect(
      head.contains(
        #""denominators":{"checked_entries":30,"events":300,"faults":{"captures":1,"count":30},"#
          + #""forks":{"captures":2,"count":7},"trusted_ns":18}"#))
    #expect(head.contains(#""captures":2,"#) && head.contains(#""trusted":2,"#) && head.contains(#""hosts":2,"#))
    let line = try #require(lines(bytes, "encoding").first)
    #expect(line.contains(#""checks":30,"#))
    #expect(line.contains(#""CONS-copy":{"captures":2,"definite":7,"possible":0}"#))
    #expect(line.contains(#""CONS-pin":{"captures":1,"definite":0,"possible":0}"#))
    #expect(line.contains(#""bitmap_bytes_peak":{"captures":2,"high":640,"low":640}"#))
    // Every entry that diverged may have been written, or not.
    #expect(line.contains(#""extra_copies":{"captures":2,"high":10,"low":3}"#))
    let found = try #require(lines(bytes, "divergence").first)
    #expect(found.contains(#""captures":2,"#) && found.contains(#""count":7,"#))
  }

  private func encoding(checks: UInt64, copies: UInt64, peak: UInt64) -> EncodingResult {
    EncodingResult(
      id: .b, checks: checks, verdicts: [.conservativeCopy: CertaintyCounts(definite: copies)],
      costs: [
        NamedCount(name: "extra_copies", count: copies == 3 ? 1 : 2),
        NamedCount(name: "bitmap_bytes_peak", count: peak),
      ])
  }

  @Test("Safe is what every capture says, and is trusted to say")
  func words() throws {
    var lossy = Sample.result()
    lossy.loss.perCPU = [(CPU(0), 3)]
    let report = { (files: [[UInt8]]) -> String in
      var merged = MergedResult.empty
      for file in files { try merged.add(try MergedFile.read(file)) }
      return MergedText(style: Style(isColoured: false)).render(merged, name: "m")
    }
    let good = try (0..<3).map { try file(Sample.result(), "c\($0)") }
    let all = try report(good)
    #expect(all.contains("trusted: each of 3 captures"))
    #expect(all.contains("C-strict     safe  in each of 3 captures"))
    let some = try report(good + [try file(lossy, "c9")])
    #expect(some.contains("NOT TRUSTED: 1 of 4 captures: loss in 1"))
    #expect(some.contains("C-strict     not shown unsafe  3 of 4 captures trusted"))
    #expect(!some.contains("  safe") && !some.contains("No divergence"))
    let bad = try file(Sample.result([Sample.divergence(.cStrict, rule: .c1)]), "c7")
    #expect(
      try report(good + [bad]).contains(
        "C-strict     breaks C1  3 entries UNSAFE at fork, order 0, definite, in 1 capture"))
    // Replayed against fewer encodings than the others.
    var fewer = Sample.result()
    fewer.encodings.removeAll { $0.id == .cStrict }
    #expect(
      try report(good + [try file(fewer, "c8")]).contains("C-strict     not shown unsafe  replayed in 3 of 4 captures"))
  }

  @Test("What happened over time is summed from the beginning of each capture, in the longest stretches")
  func series() throws {
    var first = Sample.result()
    first.timeline = Timeline(start: Timestamp(nanoseconds: 1_000_000), interval: 1000, points: 5)
    first.timeline?.counts[.forks] = [1, 2, 3, 4, 5]
    first.timeline?.gauges[.pageTables] = [9, 9, 9, 9, 9]
    first.verification.coverage = [
      CoverageSlice(start: 0, end: 100, checked: 4, known: 3),
      CoverageSlice(start: 300, end: 400, checked: 2, known: 1),
    ]
    var second = Sample.result()
    second.timeline = Timeline(start: Timestamp(nanoseconds: 5), interval: 4000, points: 3)
    second.timeline?.counts[.forks] = [10, 20, 30]
    second.timeline?.divergences[.b] = Timeline.Divergences(definite: [0, 1, 0], possible: [0, 0, 2])
    second.verification.coverage = [CoverageSlice(start: 200, end: 400, checked: 7, known: 7)]
    let bytes = try merged([try file(first, "c1"), try file(second, "c2")])
    // 1 + 2 + 3 + 4 and 5 in stretches of 4000 ns.
    #expect(
      lines(bytes, "timeline") == [
        #"{"series":{"captures":2,"columns":{"B definite":[0,1,0],"B possible":[0,0,2],"forks":[20,25,30]},"#
          + #""interval_ns":4000},"type":"timeline"}"#
      ])
    #expect(
      lines(bytes, "summary").first?.contains(
        #""coverage":{"captures":2,"columns":{"checked":[4,9],"known":[3,8]},"interval_ns":200}"#) == true)
    #expect(lines(bytes, "merge").first?.contains(#""not_merged":{"gauges":1}"#) == true)
    second.timeline?.interval = 3500
    #expect(throws: MergeError.stretches(1000, 3500)) {
      try merged([try file(first, "c1"), try file(second, "c2")])
    }
  }

  @Test("An exemplar is one of those that were found, and its command names its capture")
  func exemplars() throws {
    let files = try (0..<8).map { index in
      try file(
        Sample.result([Sample.divergence(.b, sequence: UInt64(100 + index))], name: "h\(index).cow"), "c\(index)")
    }
    var merged = MergedResult.empty
    for file in files { try merged.add(try MergedFile.read(file)) }
    let report = MergedText(style: Style(isColoured: false)).render(merged, name: "m")
    #expect((0..<8).contains { report.contains("reproduce: cowscope replay h\($0).cow --until \(100 + $0)") })
    #expect(report.contains("24 entries in 8 captures"))
  }

  @Test("The same capture twice, another version, and what does not say where it is from, are refused by name")
  func refusals() throws {
    let one = try file(Sample.result(), "c1")
    let merge = try merged([one, try file(Sample.result(), "c2")])
    #expect(throws: MergeError.twice(capture: "c1", host: "a", name: "redis.cow")) { try merged([merge, one]) }
    #expect(throws: ReportError.self) { try MergedFile.read(try ResultWriter().lines(of: Sample.result())) }
    for other in [one, merge] {
      let older = text(other).replacing(#""version":2"#, with: #""version":1"#)
      #expect(throws: ReportError.unsupportedVersion(1)) { try MergedFile.read(Array(older.utf8)) }
    }
    #expect(throws: ReportError.self) { try MergedFile.read([]) }
  }

  @Test("A merge that is cut anywhere is refused")
  func cut() throws {
    let whole = try merged([try file(Sample.rich, "c1"), try file(Sample.rich, "c2")])
    for length in stride(from: 0, to: whole.count - 1, by: 41) {
      #expect(throws: ReportError.self, "\(length) bytes") { try MergedFile.read(Array(whole.prefix(length))) }
    }
  }

  @Test("Lines that cannot be merged are named, with the number of captures that have them")
  func notMerged() throws {
    let newer = text(try file(Sample.result(), "c1"))
      .replacing("{\"denominators\"", with: "{\"type\":\"novelty\"}\n{\"denominators\"")
    let bytes = try merged([Array(newer.utf8), try file(Sample.result(), "c2")])
    #expect(lines(bytes, "merge").first?.contains(#""not_merged":{"novelty":1}"#) == true)
    let report = MergedText(style: Style(isColoured: false)).render(try MergedFile.read(bytes), name: "m")
    #expect(report.contains("not merged, see the captures' own results: novelty"))
  }

  @Test("Counts at the end of what a number holds stay there")
  func saturation() throws {
    var large = Sample.result([Sample.divergence(.b, .better, rule: .b1, count: .max)])
    (large.events, large.forks) = (.max, .max)
    let bytes = try merged([try file(large, "c1"), try file(large, "c2"), try file(Sample.result(), "c3")])
    #expect(lines(bytes, "divergence").first?.contains(#""count":18446744073709551615"#) == true)
  }
}

/// Results by chance, of few names so that they meet.
private struct Dice: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  /// SplitMix64.
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }

  mutating func roll(_ sides: UInt64) -> UInt64 { next() % sides }

  mutating func result() -> ReplayResult {
    let divergences = (0..<roll(5)).map { _ in
      Sample.divergence(
        [.b, .cStrict, .cRaw, .aOr][Int(roll(4))], [.unsafe, .conservativeCopy, .better][Int(roll(3))],
        roll(2) == 0 ? .definite : .possible, rule: [.i1, .c1][Int(roll(2))],
        transition: roll(2) == 0 ? .fork : .mprotect,
        order: roll(2) == 0 ? 0 : 9, count: roll(100) + 1, sequence: roll(1000), frame: roll(2) == 0 ? nil : roll(99))
    }
    var result = Sample.result(divergences, kernel: ["6.1.0", "6.18.1"][Int(roll(2))], name: "n\(roll(4)).cow")
    for index in result.encodings.indices {
      result.encodings[index].checks = roll(1000)
      result.encodings[index].costs.append(NamedCount(name: "bitmap_bytes_peak", count: roll(5000)))
      result.encodings[index].costs.append(NamedCount(name: "extra_copies", count: roll(50)))
      if roll(2) == 0 {
        result.encodings[index].states = [
          StateRuleCount(rule: .i1, checked: roll(90), broken: CertaintyCounts(definite: roll(2), possible: roll(3)))
        ]
      }
    }
    if roll(3) == 0 { result.encodings.removeLast() }
    if roll(2) == 0 { result.capture.capabilities.remove(.pins) }
    if roll(3) == 0 { result.capture.capabilities.remove(.counters) }
    result.audits = [
      AuditResult(
        name: "copies", figures: [NamedCount(name: "forks", count: roll(9))],
        notObservable: roll(2) == 0 ? ["bytes"] : [],
        examples: (0..<roll(4)).map { AuditExample("x\($0)", mm: MMID(UInt32(roll(9))), sequence: Sequence(roll(99))) }),
      AuditResult(name: "tables", figures: [NamedCount(name: "tables_peak", count: roll(99))]),
    ]
    if roll(3) == 0 {
      result.loss = LossSummary(perCPU: [(CPU(0), roll(2) == 0 ? nil : roll(9))], unknownAddressSpaces: roll(3))
    }
    result.gaps[.contradictoryFaults] = roll(3)
    result.gaps[.hugetlbNotFollowed] = roll(2)
    result.verification.decisions.agree = roll(1000)
    result.verification.unknownCauses = [NamedCount(name: "attached", count: roll(4))]
    if roll(3) == 0 {
      result.verification.pages.disagree = 1
      result.verification.firstDisagreement = Sample.disagreement()
    }
    if roll(4) != 0 {
      let points = Int(roll(9)) + 1
      result.timeline = Timeline(start: Timestamp(nanoseconds: next()), interval: 1000 << roll(4), points: points)
      result.timeline?.counts[.forks] = (0..<points).map { _ in roll(50) }
      result.timeline?.divergences[.b] = Timeline.Divergences(
        definite: (0..<points).map { _ in roll(5) }, possible: (0..<points).map { _ in roll(5) })
    }
    let width: UInt64 = 1 << (20 + roll(3))
    result.verification.coverage = (0..<roll(5)).map { index in
      CoverageSlice(start: index * width, end: (index + 1) * width, checked: roll(9) + 1, known: roll(2))
    }
    (result.forks, result.faults) = (roll(9), roll(2) == 0 ? nil : roll(9))
    result.trustedNanoseconds = roll(1 << 40)
    return result
  }
}
