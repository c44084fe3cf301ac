// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// All swap slots in use.
struct SwapSlots: Sendable {
  private var slots = ContiguousArray<SwapSlot>()
  private var free = ContiguousArray<UInt32>()
  /// Slots whose content was a KSM page when it went out: several places may ask for it.
  private var ksmSlots: [UInt32: KSMSlot] = [:]

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
    if !ksmSlots.isEmpty { ksmSlots[index] = nil }
    free.append(index)
  }

  subscript(index: UInt32) -> SwapSlot {
    get { slots[Int(index)] }
    _modify { yield &slots[Int(index)] }
  }
}

extension SwapSlots {
  /// A folio with the slot's content that is nowhere mapped yet.
  private enum KSMSlot: Sendable {
    case notMapped
    case mappedFirst(AnonymousPlace)
  }

  mutating func holdsKSMPage(_ index: UInt32) { ksmSlots[index] = .notMapped }

  /// A new folio was read in for the slot.
  mutating func readIn(_ index: UInt32) {
    if ksmSlots[index] != nil { ksmSlots[index] = .notMapped }
  }

  mutating func mapped(_ index: UInt32, at place: AnonymousPlace) {
    if case .notMapped = ksmSlots[index] { ksmSlots[index] = .mappedFirst(place) }
  }

  func mayMap(_ index: UInt32, at place: AnonymousPlace) -> Bool {
    guard case .mappedFirst(let first) = ksmSlots[index] else { return true }
    return first == place
  }
}

/// What `ksm_might_need_to_copy` compares: the root of the anon_vma, here the process from which all others were
/// forked, and the linear index, here the page itself (mremap would keep it).
struct AnonymousPlace: Hashable, Sendable {
  var family: MMID
  var page: VirtualPage
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
