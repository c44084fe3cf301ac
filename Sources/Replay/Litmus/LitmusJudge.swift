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
    var target: EntryTarget?
  }

  var held: [LitmusPage: Held] = [:]
  /// Pages whose exclusivity the last step lost.
  var lost: Set<LitmusPage> = []
  subscript(page: LitmusPage) -> Verdict { held[page]?.verdict ?? .ok }
}

extension LitmusVerdicts {
  /// Judges every entry of `own` against the baseline's world at the same mm and page (docs/semantics.md, "Verdicts").
  /// `isStored`: in this world the mm stored something there. Where an operation failed in one of the worlds alone,
  /// data are elsewhere, not lost.
  static func of<E: Encoding>(
    _ own: World<E>, against baseline: World<Baseline>, after before: LitmusVerdicts,
    livelocked: Set<LitmusPage>, isStored: (LitmusPage) -> Bool
  ) -> LitmusVerdicts {
    var result = LitmusVerdicts()
    for case let mm? in own.mms {
      own.memory.forEachRef(mm.id, PageRange(start: VirtualPage(0), end: VirtualPage(.max))) { ref in
        let entry = own.tables.entry(ref)
        guard entry.isJudged else { return }
        let first = Int(own.memory.owner(ref).page.rawValue)
        for page in first..<first + (own.memory.isHuge(ref) ? 512 : 1) {
          result.judge(
            LitmusPage(mm: mm.id, page: page), ref, entry, own, baseline, before, livelocked, isStored)
        }
      }
    }
    result.findLosses(own, baseline, before)
    return result
  }

  private mutating func judge<E: Encoding>(
    _ place: LitmusPage, _ ref: EntryRef, _ entry: Entry, _ own: World<E>,
    _ baseline: World<Baseline>, _ before: LitmusVerdicts, _ livelocked: Set<LitmusPage>,
    _ isStored: (LitmusPage) -> Bool
  ) {
    let page = VirtualPage(UInt64(place.page))
    let b = baseline.claim(place.mm, page)
    let e = E.claim(own, ref, entry)
    // The zero page is nobody's: only a claim to it can be wrong.
    if entry.kind == .zeroPage, e != .exclusive { return }
    let isStuck = livelocked.contains(place) || before[place] == .livelock
    let isStale = isStored(place) && own.isStale(place.mm, page, against: baseline)
    guard e != b || entry.writable || entry.shadowStack || isStale || e == .exclusive else { return }
    let look = Look(
      ref: ref, claim: e, other: baseline.memory.find(place.mm, page), flag: b, isLivelocked: isStuck, isStale: isStale)
    let evidence = own.memory.evidence(look, baseline.memory, Doubts(), largeFolios: own.facts.largeFolioReuse)
    let judgement = Replay.judge(evidence)
    guard judgement.verdict != .ok else { return }
    held[place] = Held(verdict: judgement.verdict, kind: entry.kind, target: entry.target)
    guard judgement.losesExclusivity else { return }
    if let old = before.held[place] {
      if old.kind != entry.kind || old.target != entry.target { lost.insert(place) }
    } else {
      lost.insert(place)
    }
  }

  /// What no entry shows. Lost data stay lost: as long as the baseline has the page, and the encoding's world nothing.
  private mutating func findLosses<E: Encoding>(
    _ own: World<E>, _ baseline: World<Baseline>, _ before: LitmusVerdicts
  ) {
    for lost in own.lostData(against: baseline) { hold(.dataLoss, at: lost) }
    for (place, old) in before.held where old.verdict == .dataLoss && old.kind == .none {
      let page = VirtualPage(UInt64(place.page))
      let kind = own.memory.entry(place.mm, page).kind
      guard !kind.refersToFolio, kind != .swap, baseline.memory.entry(place.mm, page).isJudged else { continue }
      hold(.dataLoss, at: (place.mm, page))
    }
    for pin in own.detachedPins(against: baseline) { hold(.conservativePin, at: pin) }
  }

  private mutating func hold(_ verdict: Verdict, at place: (mm: MMID, page: VirtualPage)) {
    let place = LitmusPage(mm: place.mm, page: Int(place.page.rawValue))
    if held[place] == nil { held[place] = Held(verdict: verdict, kind: .none, target: nil) }
  }
}

extension LitmusVerdicts {
  /// C-raw: the formula, read off the unmodified kernel's own entries.
  static func raw(_ baseline: World<Baseline>, after before: LitmusVerdicts) -> LitmusVerdicts {
    var result = LitmusVerdicts()
    for case let mm? in baseline.mms {
      baseline.memory.forEachRef(mm.id, PageRange(start: VirtualPage(0), end: VirtualPage(.max))) { ref in
        let entry = baseline.tables.entry(ref)
        guard entry.kind.refersToFolio || entry.kind == .swap else { return }
        let look = Look(
          ref: ref, claim: PTEBits.rawClaim(baseline, entry), other: ref, flag: Baseline.claim(baseline, ref, entry))
        let evidence = baseline.memory.evidence(look, Doubts(), largeFolios: baseline.facts.largeFolioReuse)
        let judgement = Replay.judge(evidence)
        guard judgement.verdict != .ok else { return }
        let first = Int(baseline.memory.owner(ref).page.rawValue)
        for page in first..<first + (baseline.memory.isHuge(ref) ? 512 : 1) {
          let place = LitmusPage(mm: mm.id, page: page)
          result.held[place] = Held(verdict: judgement.verdict, kind: entry.kind, target: entry.target)
          if judgement.losesExclusivity, before.held[place] == nil { result.lost.insert(place) }
        }
      }
    }
    return result
  }

  /// A switch of today's kernel off: what comes out writable is what the wrong page decided (docs/semantics.md,
  /// "mprotect"), or the first entry of a run.
  static func writability(
    of own: World<Baseline>, against baseline: World<Baseline>
  ) -> LitmusVerdicts {
    var result = LitmusVerdicts()
    for case let mm? in own.mms {
      own.memory.forEachRef(mm.id, PageRange(start: VirtualPage(0), end: VirtualPage(.max))) { ref in
        let entry = own.tables.entry(ref)
        let (_, page) = own.memory.owner(ref)
        let correct = baseline.memory.entry(mm.id, page)
        guard entry.kind == .present, correct.kind == .present, entry.writable != correct.writable else { return }
        let verdict: Verdict =
          if !entry.writable {
            .conservativeFault
          } else if own.memory.isTrulyExclusive(ref) == .exclusive {
            .invariantBreak
          } else {
            .unsafe
          }
        result.held[LitmusPage(mm: mm.id, page: Int(page.rawValue))] = Held(
          verdict: verdict, kind: entry.kind, target: entry.target)
      }
    }
    return result
  }
}
