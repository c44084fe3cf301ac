// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// All swap slots in use.
struct SwapSlots: ~Copyable, Sendable {
  private var slots = LeafArray<SwapSlot>(blank: .free)
  private var numbers = Numbering()
  /// Slots whose content was a KSM page when it went out: several places may ask for it.
  private var ksmSlots: [SwapSlotID: KSMSlot] = [:]

  var liveCount: Int { numbers.liveCount }
  /// Of those, how many have a folio in the swapcache.
  private(set) var cachedCount = 0

  mutating func allocate(stableWrites: Bool) -> SwapSlotID {
    let index = numbers.take { Int($0) &>> 9 >= slots.leafCount || !slots[Int($0)].live }
    slots.grow(toInclude: Int(index))
    slots[Int(index)] = SwapSlot(
      entries: 0, page: 0, live: true, stableWrites: stableWrites, content: 0)
    return SwapSlotID(index)
  }

  mutating func release(_ slot: SwapSlotID) {
    precondition(self[slot].entries == 0 && self[slot].folio == nil, "freeing a used swap slot")
    self[slot] = .free
    if !ksmSlots.isEmpty { ksmSlots[slot] = nil }
    numbers.giveBack(slot.rawValue)
  }

  subscript(slot: SwapSlotID) -> SwapSlot {
    get { slots[Int(slot.rawValue)] }
    set {
      cachedCount += (newValue.folio == nil ? 0 : 1) - (self[slot].folio == nil ? 0 : 1)
      slots[Int(slot.rawValue)] = newValue
    }
  }
}

extension SwapSlots {
  /// A folio with the slot's content that is nowhere mapped yet.
  private enum KSMSlot: Sendable {
    case notMapped
    case mappedFirst(AnonymousPlace)
  }

  mutating func holdsKSMPage(_ slot: SwapSlotID) { ksmSlots[slot] = .notMapped }

  /// A new folio was read in for the slot.
  mutating func readIn(_ slot: SwapSlotID) {
    if ksmSlots[slot] != nil { ksmSlots[slot] = .notMapped }
  }

  mutating func mapped(_ slot: SwapSlotID, at place: AnonymousPlace) {
    if case .notMapped = ksmSlots[slot] { ksmSlots[slot] = .mappedFirst(place) }
  }

  func mayMap(_ slot: SwapSlotID, at place: AnonymousPlace) -> Bool {
    guard case .mappedFirst(let first) = ksmSlots[slot] else { return true }
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
  /// The folio cached for the slot, of which `page` is its page.
  var folio: FolioID? {
    get { folioNumber == noIndex ? nil : FolioID(folioNumber) }
    set { folioNumber = newValue?.raw ?? noIndex }
  }
  private var folioNumber = noIndex
  var page: UInt16
  var live: Bool
  /// The device has `SWP_STABLE_WRITES`.
  var stableWrites: Bool
  /// What was written out (oracle mode).
  var content: UInt32

  init(entries: UInt32, page: UInt16, live: Bool, stableWrites: Bool, content: UInt32) {
    (self.entries, self.page, self.live) = (entries, page, live)
    (self.stableWrites, self.content) = (stableWrites, content)
  }

  static let free = SwapSlot(entries: 0, page: 0, live: false, stableWrites: false, content: 0)
}

extension SwapSlots {
  /// The folios cached for some slot, in the order of slots.
  var cachedFolios: [FolioID] {
    (0..<slots.leafCount &<< 9).compactMap { index in
      slots[index].live ? slots[index].folio : nil
    }
  }
}

extension SwapSlots {
  mutating func becomeFollower() { numbers.becomeFollower() }

  @inline(__always)
  mutating func beginOperation() { numbers.beginOperation() }

  @inline(__always)
  mutating func beginOperation(after leader: borrowing SwapSlots) { numbers.beginOperation(after: leader.numbers) }

  /// Bytes of leaves that no other world uses.
  var ownBytes: Int { slots.ownLeafCount * 512 * MemoryLayout<SwapSlot>.stride }

  mutating func shareEqualLeaves(with other: inout SwapSlots) { slots.shareEqualLeaves(with: &other.slots) }
}

extension SwapSlots {
  borrowing func copy() -> SwapSlots {
    var copy = SwapSlots()
    copy.slots = slots.copy()
    copy.numbers = numbers
    copy.cachedCount = cachedCount
    copy.ksmSlots = ksmSlots
    return copy
  }
}
