// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

// The encodings for which the hot loop is compiled, a line each; all others run the generic one, several times slower.
extension PageTableBitmap: CompiledEncoding {}
extension PTEBits: CompiledEncoding {}

/// The entry points of the hot loop as requirements: what conforms has code of its own for each of the functions below,
/// which are generic only in this text, and an `OpenLane` gets to that code by one call.
protocol CompiledEncoding: Encoding {
  static func step(
    _ lane: inout Lane<Self>, _ operation: Operation, follows: Bool, _ expected: Outcome,
    after baseline: World<Baseline>)
  static func judgeTouched(
    _ lane: inout Lane<Self>, _ baseline: World<Baseline>, _ doubts: Doubts, _ context: JudgingContext)
  static func stepAndJudge(
    _ lane: inout Lane<Self>, _ operation: Operation, follows: Bool, _ expected: Outcome,
    after baseline: World<Baseline>, _ doubts: Doubts, _ context: JudgingContext)
  static func forgetTouched(_ lane: inout Lane<Self>)
  static func ownBytes(_ lane: inout Lane<Self>) -> Int
  static func shareEqualState(_ lane: inout Lane<Self>, with baseline: inout World<Baseline>)
}

extension CompiledEncoding {
  static func step(
    _ lane: inout Lane<Self>, _ operation: Operation, follows: Bool, _ expected: Outcome,
    after baseline: World<Baseline>
  ) { lane.step(operation, follows: follows, expected, after: baseline) }

  static func judgeTouched(
    _ lane: inout Lane<Self>, _ baseline: World<Baseline>, _ doubts: Doubts, _ context: JudgingContext
  ) { lane.judgeTouched(baseline, doubts, context) }

  static func stepAndJudge(
    _ lane: inout Lane<Self>, _ operation: Operation, follows: Bool, _ expected: Outcome,
    after baseline: World<Baseline>, _ doubts: Doubts, _ context: JudgingContext
  ) { lane.stepAndJudge(operation, follows: follows, expected, after: baseline, doubts, context) }

  static func forgetTouched(_ lane: inout Lane<Self>) { lane.forgetTouched() }

  static func ownBytes(_ lane: inout Lane<Self>) -> Int { lane.ownBytes() }

  static func shareEqualState(_ lane: inout Lane<Self>, with baseline: inout World<Baseline>) {
    lane.shareEqualState(with: &baseline)
  }
}

/// A lane that is compiled for its encoding.
private struct CompiledLane<E: CompiledEncoding>: OpenLane {
  private var lane: Lane<E>

  init(_ facts: KernelFacts, _ switches: SwitchSet, _ options: WorldOptions) {
    lane = Lane(facts, switches, options)
  }

  var log: DivergenceLog { lane.log }
  var costs: CostTable { lane.costs }

  mutating func ownBytes() -> Int { E.ownBytes(&lane) }

  mutating func step(_ operation: Operation, follows: Bool, _ expected: Outcome, after baseline: World<Baseline>) {
    E.step(&lane, operation, follows: follows, expected, after: baseline)
  }

  mutating func shareEqualState(with baseline: inout World<Baseline>) { E.shareEqualState(&lane, with: &baseline) }

  mutating func judgeTouched(_ baseline: World<Baseline>, _ doubts: Doubts, _ context: JudgingContext) {
    E.judgeTouched(&lane, baseline, doubts, context)
  }

  mutating func stepAndJudge(
    _ operation: Operation, follows: Bool, _ expected: Outcome, after baseline: World<Baseline>, _ doubts: Doubts,
    _ context: JudgingContext
  ) { E.stepAndJudge(&lane, operation, follows: follows, expected, after: baseline, doubts, context) }

  mutating func forgetTouched() { E.forgetTouched(&lane) }

  mutating func checkState(_ baseline: World<Baseline>, _ doubts: Doubts) { lane.checkState(baseline, doubts) }

  func verdict(_ mm: MMID, _ page: VirtualPage) -> Verdict { lane.verdict(mm, page) }

  func standing(_ mm: MMID, _ page: VirtualPage) -> EntryStanding { lane.standing(mm, page) }

  func lane<Other: Encoding>(of encoding: Other.Type) -> Lane<Other>? { lane as? Lane<Other> }
}

/// The lane of an encoding that is known at run time only.
func makeLane<E: Encoding>(
  _ encoding: E.Type, _ facts: KernelFacts, _ switches: SwitchSet, _ options: WorldOptions
) -> any OpenLane {
  if let compiled = encoding as? any CompiledEncoding.Type { return compiledLane(compiled, facts, switches, options) }
  return Lane<E>(facts, switches, options)
}

private func compiledLane<E: CompiledEncoding>(
  _ encoding: E.Type, _ facts: KernelFacts, _ switches: SwitchSet, _ options: WorldOptions
) -> any OpenLane { CompiledLane<E>(facts, switches, options) }
