// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// A page of one mm: what verdicts are about. A PMD entry speaks for its 512 pages.
struct LitmusPage: Hashable, Sendable {
  var mm: MMID
  var page: Int
}

/// The verdicts of every entry of every mm at one instant. `OK` is not kept.
struct LitmusVerdicts: Sendable {
  struct Held: Sendable {
    var verdict: Verdict
    /// Of the entry that holds it: a different kind or folio later is a different carrier of the same fact.
    var kind: EntryKind
    var folio: UInt32
  }

  var held: [LitmusPage: Held] = [:]
  /// Pages whose exclusivity the last step lost.
  var lost: Set<LitmusPage> = []
  /// Pages with content in the encoding's world, as runs: stories have up to 1 GiB of them.
  private var populated: [(mm: MMID, pages: Range<Int>)] = []

  subscript(page: LitmusPage) -> Verdict { held[page]?.verdict ?? .ok }
}

extension LitmusVerdicts {
  /// Judges every entry of `own` against the baseline's world at the same mm and page (reference, section 0).
  static func of<E: Encoding>(
    _ own: World<E>, against baseline: World<Baseline>, after before: LitmusVerdicts,
    livelocked: Set<LitmusPage>, isStored: (LitmusPage) -> Bool
  ) -> LitmusVerdicts {
    var result = LitmusVerdicts()
    for case let mm? in own.mms {
      own.forEachRef(mm.id, PageRange(start: VirtualPage(0), end: VirtualPage(.max))) { ref in
        let entry = own.tables.entry(ref)
        guard entry.kind.refersToFolio || entry.kind == .swap || entry.kind == .zeroPage else { return }
        let first = Int(own.owner(ref).page.rawValue)
        for page in first..<first + (own.isHuge(ref) ? 512 : 1) {
          result.judge(
            LitmusPage(mm: mm.id, page: page), ref, entry, own, baseline, before, livelocked)
        }
      }
    }
    result.findVanished(own, baseline, before, isStored)
    result.findDetachedPins(own, baseline)
    return result
  }

  private mutating func judge<E: Encoding>(
    _ place: LitmusPage, _ ref: EntryRef, _ entry: Entry, _ own: World<E>,
    _ baseline: World<Baseline>, _ before: LitmusVerdicts, _ livelocked: Set<LitmusPage>
  ) {
    let page = VirtualPage(UInt64(place.page))
    if own.options.followsContent, entry.kind != .zeroPage { addPopulated(place) }
    let b = baseline.claim(place.mm, page)
    let e = E.claim(own, ref, entry)
    let isStuck = livelocked.contains(place) || before[place] == .livelock
    let isStale = own.isStale(place.mm, page, against: baseline)
    guard e != b || entry.writable || entry.shadowStack || isStale || e == .exclusive else { return }
    let evidence = own.evidence(
      ref, encoding: e, baseline, baseline.find(place.mm, page), Doubts(), livelocked: isStuck, isStale: isStale)
    let judgement = Replay.judge(evidence)
    guard judgement.verdict != .ok else { return }
    let folio = entry.kind.refersToFolio || entry.kind == .swap ? entry.index : noIndex
    held[place] = Held(verdict: judgement.verdict, kind: entry.kind, folio: folio)
    guard judgement.losesExclusivity else { return }
    if let old = before.held[place] {
      if old.kind != entry.kind || old.folio != folio { lost.insert(place) }
    } else {
      lost.insert(place)
    }
  }

  private mutating func addPopulated(_ place: LitmusPage) {
    if let last = populated.last, last.mm == place.mm, last.pages.upperBound == place.page {
      populated[populated.count - 1].pages = last.pages.lowerBound..<place.page + 1
    } else {
      populated.append((place.mm, place.page..<place.page + 1))
    }
  }

  /// A pin on a page that its entry no longer maps, where the baseline never let it come to that (I5, I6).
  private mutating func findDetachedPins<E: Encoding>(
    _ own: World<E>, _ baseline: World<Baseline>
  ) {
    for pin in own.pins where Self.isDetached(pin, own) {
      let place = LitmusPage(mm: pin.mm, page: Int(pin.page.rawValue))
      guard held[place] == nil,
        !baseline.pins.contains(where: { $0.mm == pin.mm && $0.page == pin.page && Self.isDetached($0, baseline) })
      else { continue }
      held[place] = Held(verdict: .conservativePin, kind: .present, folio: noIndex)
    }
  }

  private static func isDetached<E: Encoding>(_ pin: PinRecord, _ world: World<E>) -> Bool {
    let entry = world.entry(pin.mm, pin.page)
    return !pin.isZapped && entry.kind == .present && entry.index != pin.folio.raw
  }

  /// An entry that went although the baseline's stayed, with data its process may count on: the data is gone.
  private mutating func findVanished<E: Encoding>(
    _ own: World<E>, _ baseline: World<Baseline>, _ before: LitmusVerdicts,
    _ isStored: (LitmusPage) -> Bool
  ) {
    for run in before.populated where own.isLive(run.mm) {
      for number in run.pages {
        let page = VirtualPage(UInt64(number))
        let kind = own.entry(run.mm, page).kind
        guard !kind.refersToFolio, kind != .swap else { continue }
        let place = LitmusPage(mm: run.mm, page: number)
        let entry = baseline.entry(run.mm, page)
        guard isStored(place), entry.kind.refersToFolio || entry.kind == .swap, baseline.content(run.mm, page) != 0
        else { continue }
        held[place] = Held(verdict: .dataLoss, kind: .none, folio: noIndex)
      }
    }
  }
}

extension LitmusVerdicts {
  /// C-raw: the formula, read off the unmodified kernel's own entries.
  static func raw(_ baseline: World<Baseline>, after before: LitmusVerdicts) -> LitmusVerdicts {
    var result = LitmusVerdicts()
    for case let mm? in baseline.mms {
      baseline.forEachRef(mm.id, PageRange(start: VirtualPage(0), end: VirtualPage(.max))) { ref in
        let entry = baseline.tables.entry(ref)
        guard entry.kind.refersToFolio || entry.kind == .swap else { return }
        let evidence = baseline.evidence(
          ref, encoding: PTEBits.rawClaim(baseline, entry), baseline, ref, Doubts(), livelocked: false, isStale: false)
        let judgement = Replay.judge(evidence)
        guard judgement.verdict != .ok else { return }
        let first = Int(baseline.owner(ref).page.rawValue)
        for page in first..<first + (baseline.isHuge(ref) ? 512 : 1) {
          let place = LitmusPage(mm: mm.id, page: page)
          result.held[place] = Held(verdict: judgement.verdict, kind: entry.kind, folio: entry.index)
          if judgement.losesExclusivity, before.held[place] == nil { result.lost.insert(place) }
        }
      }
    }
    return result
  }

  /// Seed 002: what comes out writable is what the wrong page decided (reference, section 5).
  static func writability(
    of own: World<Baseline>, against baseline: World<Baseline>
  ) -> LitmusVerdicts {
    var result = LitmusVerdicts()
    for case let mm? in own.mms {
      own.forEachRef(mm.id, PageRange(start: VirtualPage(0), end: VirtualPage(.max))) { ref in
        let entry = own.tables.entry(ref)
        let (_, page) = own.owner(ref)
        let correct = baseline.entry(mm.id, page)
        guard entry.kind == .present, correct.kind == .present, entry.writable != correct.writable else { return }
        let verdict: Verdict =
          if !entry.writable {
            .conservativeFault
          } else if own.isTrulyExclusive(ref) == .exclusive {
            .invariantBreak
          } else {
            .unsafe
          }
        result.held[LitmusPage(mm: mm.id, page: Int(page.rawValue))] = Held(
          verdict: verdict, kind: entry.kind, folio: entry.index)
      }
    }
    return result
  }
}
