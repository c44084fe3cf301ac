// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// What no entry shows any more once it has happened: reclaim dropped data, or a pin holds a page that its entry has
/// left.
extension World {
  /// Pages whose data reclaim dropped here, in the last operations, and kept in the baseline's world: C3, a dirty mark
  /// was dropped before.
  package func lostData(against baseline: World<Baseline>) -> [(mm: MMID, page: VirtualPage)] {
    guard !reclaimed.isEmpty else { return [] }
    return reclaimed.compactMap { own in
      let kept = baseline.reclaimed.first { $0.mm == own.mm && $0.page == own.page }?.fate
      let isLost =
        switch (own.fate, kept) {
        case (.written, _): false
        case (.notWritten, .written): true
        case (.notWritten, _): false
        case (.discarded, .discarded): false
        case (.discarded, _):
          baseline.hasData(own.mm, own.page)
        }
      return isLost ? (own.mm, own.page) : nil
    }
  }

  /// The page holds what its mm may count on: not what it gave up and did not store to again.
  private func hasData(_ mm: MMID, _ page: VirtualPage) -> Bool {
    let entry = memory.entry(mm, page)
    return (entry.refersToFolio || entry.kind == .swap) && !entry.givenUp
  }

  /// Pins on a page that its entry no longer maps, where the baseline never let it come to that (I5, I6).
  package func detachedPins(against baseline: World<Baseline>) -> [(mm: MMID, page: VirtualPage)] {
    guard !pins.isEmpty else { return [] }
    return pins.compactMap { pin in
      guard isDetached(pin),
        !baseline.pins.contains(where: { $0.mm == pin.mm && $0.page == pin.page && baseline.isDetached($0) })
      else { return nil }
      return (pin.mm, pin.page)
    }
  }

  private func isDetached(_ pin: PinRecord) -> Bool {
    let entry = memory.entry(pin.mm, pin.page)
    return !pin.isZapped && entry.kind == .present && entry.folio != pin.folio
  }
}
