// SPDX-License-Identifier: GPL-2.0-only

/// All swap slots in use.
struct SwapSlots: Sendable {
  private var slots = ContiguousArray<SwapSlot>()
  private var free = ContiguousArray<UInt32>()

  var liveCount: Int { slots.count - free.count }

  mutating func allocate(stableWrites: Bool) -> UInt32 {
    let slot = SwapSlot(entries: 0, folio: noIndex, page: 0, live: true, stableWrites: stableWrites, content: 0)
    if let index = free.popLast() {
      slots[Int(index)] = slot
      return index
    }
    slots.append(slot)
    return UInt32(slots.count - 1)
  }

  mutating func release(_ index: UInt32) {
    precondition(slots[Int(index)].entries == 0 && slots[Int(index)].folio == noIndex, "freeing a used swap slot")
    slots[Int(index)].live = false
    free.append(index)
  }

  subscript(index: UInt32) -> SwapSlot {
    get { slots[Int(index)] }
    _modify { yield &slots[Int(index)] }
  }
}

/// One slot of a swap device.
struct SwapSlot: BitwiseCopyable, Sendable {
  /// Swap entries that name the slot (`swap_map` count).
  var entries: UInt32
  /// The folio cached for the slot, or `noIndex`.
  var folio: UInt32
  var page: UInt16
  var live: Bool
  /// The device has `SWP_STABLE_WRITES`.
  var stableWrites: Bool
  /// What was written out (oracle mode).
  var content: UInt32
}
