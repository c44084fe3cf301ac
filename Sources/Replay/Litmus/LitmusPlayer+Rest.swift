// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

extension LitmusPlayer {
  mutating func reclaimStep(_ operation: LitmusOperation) throws(LitmusStop) -> LitmusStepReport { throw .unsupported("not modelled yet") }
  mutating func folioStep(_ operation: LitmusOperation) throws(LitmusStop) -> LitmusStepReport { throw .unsupported("not modelled yet") }
  mutating func trackingStep(_ operation: LitmusOperation) throws(LitmusStop) -> LitmusStepReport { throw .unsupported("not modelled yet") }
  mutating func concurrentStep(_ operation: LitmusOperation) throws(LitmusStop) -> LitmusStepReport { throw .unsupported("not modelled yet") }
  mutating func adviseFolios(_ range: LitmusEntryRange, _ advice: Advice) throws(LitmusStop) -> LitmusStepReport { throw .unsupported("not modelled yet") }
}
