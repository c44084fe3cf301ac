// SPDX-License-Identifier: GPL-2.0-only

/// Worlds that run side by side and are mostly equal: equal things get equal numbers, and are stored once.
extension World {
  /// The state that a world of another encoding has reached, from here on with this encoding's decisions. Neither keeps
  /// any of its own.
  init<Other: Encoding>(continuing other: World<Other>) where E.State == NoState, Other.State == NoState {
    self.init(facts: other.facts, switches: other.switches, options: other.options)
    costs = other.costs
    touched = other.touched
    relooked = other.relooked
    reclaimed = other.reclaimed
    recarried = other.recarried
    pages = other.pages
    mms = other.mms
    freeMMs = other.freeMMs
    slotOfMM = other.slotOfMM
    upperTables = other.upperTables
    pins = other.pins
    references = other.references
    ksmPending = other.ksmPending
    ksmPrepared = other.ksmPrepared
    unpublished = other.unpublished
    fastPins = other.fastPins
    translations = other.translations
    forksUnderWay = other.forksUnderWay
    dyingCount = other.dyingCount
    isReclaiming = other.isReclaiming
    incidents = other.incidents
    swapWrites = other.swapWrites
    storeVersion = other.storeVersion
    equalData = other.equalData
    vmaStarts = other.vmaStarts
  }

  /// This world runs beside the baseline's from the start.
  mutating func becomeFollower() {
    upperTables = nil
    tables.becomeFollower()
    folios.becomeFollower()
    slots.becomeFollower()
  }

  /// The leading world is about to do the next operation.
  @inline(__always)
  mutating func beginOperation() {
    tables.beginOperation()
    folios.beginOperation()
    slots.beginOperation()
  }

  /// The leading world has done the operation that is to be done here.
  @inline(__always)
  mutating func beginOperation<Leader: Encoding>(after leader: World<Leader>) {
    tables.beginOperation(after: leader.tables)
    folios.beginOperation(after: leader.folios)
    slots.beginOperation(after: leader.slots)
  }

  /// Bytes of the page state that no other world uses.
  var ownBytes: Int { tables.ownBytes + folios.ownBytes + slots.ownBytes }

  /// Page state that is equal in both worlds is stored once until one of them changes it.
  mutating func shareEqualState<Other: Encoding>(with other: inout World<Other>) {
    tables.shareEqualLeaves(with: &other.tables)
    folios.shareEqualLeaves(with: &other.folios)
    slots.shareEqualLeaves(with: &other.slots)
  }
}
