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
    memoryPlace = other.memoryPlace
    ksmPending = other.ksmPending
    ksmPrepared = other.ksmPrepared
    unpublished = other.unpublished
    fastPins = other.fastPins
    translations = other.translations
    forksUnderWay = other.forksUnderWay
    isReclaiming = other.isReclaiming
    incidents = other.incidents
    swapWrites = other.swapWrites
    storeVersion = other.storeVersion
    equalData = other.equalData
    vmaStarts = other.vmaStarts
  }
}
