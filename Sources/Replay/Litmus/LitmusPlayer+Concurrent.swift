// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Half-steps of another CPU, and what the architecture does by itself.
extension LitmusPlayer {
  mutating func concurrentStep(_ operation: LitmusOperation) throws(LitmusStop) -> LitmusStepReport {
    switch operation {
    case .failBitmapAllocation(let count): world.options.bitmapAllocationBudget = count
    case .contpteFold(let range):
      guard machine.architecture == .arm64 else { throw .failed }
      _ = world.contpteFold(try mm(range.process), PageRange(range.half))
    case .tlbFill(let cpu, let range): _ = world.tlbFill(cpu, try mm(range.process), range.first)
    case .tlbStore(let cpu, let range): try storeThroughTLB(cpu, range)
    case .tlbFlush: world.tlbFlush()
    case .reuseCheck(let range):
      guard let ref = find(try mm(range.process), range.pages.lowerBound), world.reuseCheck(ref) == .passes else {
        throw .failed
      }
    case .reuseCommit(let range):
      let mm = try mm(range.process)
      _ = world.commitReuse(mm, range.first, try facts(mm, range.pages.lowerBound))
    case .rcuGracePeriod: break
    case .gupFastRead(let cpu, let range):
      return LitmusStepReport(world.fastPinRead(cpu, try mm(range.process), range.first))
    case .gupFastBegin(let cpu, let range):
      if !world.fastPins.contains(where: { $0.cpu == cpu }) {
        _ = world.fastPinRead(cpu, try mm(range.process), range.first)
      }
      _ = world.fastPinGrab(cpu)
    case .gupFastEnd(let cpu): return LitmusStepReport(world.fastPinEnd(cpu))
    default: preconditionFailure("no concurrent step: \(operation)")
    }
    return LitmusStepReport()
  }

  private mutating func storeThroughTLB(_ cpu: CPUNumber, _ range: LitmusEntryRange) throws(LitmusStop) {
    let mm = try mm(range.process)
    world.storeVersion = takeVersion()
    guard world.tlbStore(cpu, mm, range.first) == .done else { return }
    stored[mm, default: [:]][range.pages.lowerBound] = world.storeVersion
  }
}

extension LitmusEntryRange {
  var first: VirtualPage { VirtualPage(UInt64(pages.lowerBound)) }
}
