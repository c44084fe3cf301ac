// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// fork in one go or in parts, and exit.
extension LitmusPlayer {
  mutating func processStep(_ operation: LitmusOperation) throws(LitmusStop) -> LitmusStepReport {
    switch operation {
    case .fork(let parent, let child, let failure): return try fork(parent, child, failure)
    case .forkBegin(let parent, let child):
      try beginFork(parent, child)
      return LitmusStepReport()
    case .forkCopy(let range): return LitmusStepReport(try copy(range.half, range.process))
    case .forkEnd(let parent):
      try endFork(parent)
      return LitmusStepReport()
    case .forkAbort(let parent):
      try abortFork(parent)
      return LitmusStepReport()
    case .exit(let process):
      let mm = try mm(process)
      world.exitBegin(mm)
      world.exitEnd(mm)
      vmas[mm] = nil
      return LitmusStepReport()
    default: preconditionFailure("no process step: \(operation)")
    }
  }

  private mutating func fork(
    _ parent: LitmusProcess, _ child: LitmusProcess, _ failure: LitmusForkFailure
  ) throws(LitmusStop) -> LitmusStepReport {
    try beginFork(parent, child)
    let everything = 0..<Int.max
    let copies = world.costs[.extraCopies]
    switch failure {
    case .none:
      let outcome = try copy(everything, parent)
      if case .failed = outcome {
        try abortFork(parent)
        return LitmusStepReport(outcome)
      }
      try endFork(parent)
      var report = LitmusStepReport()
      // Pages copied because they could not be shared.
      if world.costs[.extraCopies] > copies { report.labels.insert(.cost) }
      return report
    case .before(let page):
      _ = try copy(0..<page, parent)
      try abortFork(parent)
      return LitmusStepReport(.failed(.noMemory))
    }
  }

  private mutating func beginFork(_ parent: LitmusProcess, _ child: LitmusProcess) throws(LitmusStop) {
    // The child's number first, whatever becomes of the fork: mms have the same numbers in every world.
    let to = try introduce(child)
    let from = try mm(parent)
    world.forkBegin(parent: from, child: to)
    forks[parent] = child
    vmas[to] = LitmusVMAMap()
    stored[to] = stored[from]
  }

  /// VMA by VMA, as `dup_mmap` goes.
  private mutating func copy(_ range: Range<Int>, _ parent: LitmusProcess) throws(LitmusStop) -> Outcome {
    let from = try mm(parent)
    guard let child = forks[parent] else { throw .failed }
    let to = try mm(child)
    for area in vmas[from]?.parts(in: range) ?? [] {
      if !area.vma.dontFork { vmas[to]?.insert(area.pages, area.vma) }
      let outcome = world.forkCopy(parent: from, child: to, PageRange(area.pages), area.facts)
      if case .failed = outcome { return outcome }
    }
    return .done
  }

  private mutating func endFork(_ parent: LitmusProcess) throws(LitmusStop) {
    guard let child = forks.removeValue(forKey: parent) else { throw .failed }
    world.forkEnd(parent: try mm(parent), child: try mm(child))
  }

  private mutating func abortFork(_ parent: LitmusProcess) throws(LitmusStop) {
    guard let child = forks.removeValue(forKey: parent) else { throw .failed }
    let mm = try mm(child)
    world.forkAbort(parent: try self.mm(parent), child: mm)
    vmas[mm] = nil
  }
}
