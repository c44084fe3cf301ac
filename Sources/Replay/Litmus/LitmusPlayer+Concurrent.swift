// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Half-steps of another CPU, and what the architecture does by itself.
extension LitmusPlayer {
  mutating func concurrentStep(_ operation: LitmusOperation) throws(LitmusStop) -> LitmusStepReport {
    switch operation {
    case .failBitmapAllocation(let count):
      world.options.bitmapAllocationBudget = count
      return LitmusStepReport()
    case .contpteFold, .tlbFill, .tlbStore, .tlbFlush, .gupFastRead, .gupFastBegin, .gupFastEnd, .reuseCheck,
      .reuseCommit, .rcuGracePeriod:
      throw .unsupported("not modelled yet")
    default: preconditionFailure("no concurrent step: \(operation)")
    }
  }

  mutating func prepareKSM(_ range: LitmusEntryRange) throws(LitmusStop) -> LitmusStepReport {
    throw .unsupported("not modelled yet")
  }
}
