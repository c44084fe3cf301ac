// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

import Replay

/// A small story about processes P, Q, R and their pages, told to all encodings at once.
struct Story {
  static let p = MMID(0)
  static let q = MMID(1)
  static let r = MMID(2)
  /// "vpn 0" of the reference: 2 MiB aligned.
  static let base = VirtualPage(512 * 16)

  var lockstep: Lockstep
  private var sequence: UInt64 = 0
  /// The VMA of the pages, for operations that need it.
  var vma = VMAFacts.anonymous

  init(
    _ ids: [EncodingID] = EncodingID.allCases, facts: KernelFacts = .v7_3, without switches: [CallSiteSwitch] = [],
    options: WorldOptions = WorldOptions()
  ) {
    var options = options
    options.followsContent = true
    lockstep = Lockstep(ids, facts: facts, switches: SwitchSet(without: switches), options: options)
    lockstep.judgesEverything = true
    apply(.createMM(Self.p, .exec))
  }

  @discardableResult
  mutating func apply(_ operation: Operation) -> Outcome {
    sequence += 1
    return lockstep.apply(
      operation,
      JudgingContext(
        sequence: Sequence(sequence), time: Timestamp(nanoseconds: sequence), transition: operation.transition))
  }

  func page(_ vpn: Int) -> VirtualPage { Self.base.advanced(by: vpn) }

  func range(_ pages: Range<Int>) -> PageRange { PageRange(start: page(pages.lowerBound), count: pages.count) }

  /// fork of all pages that `range` covers.
  mutating func fork(_ parent: MMID = p, _ child: MMID = q, _ pages: Range<Int> = 0..<512) {
    apply(.forkBegin(parent: parent, child: child))
    apply(.forkCopy(parent: parent, child: child, range(pages), vma))
    apply(.forkEnd(parent: parent, child: child))
  }

  mutating func exit(_ mm: MMID) {
    apply(.exitBegin(mm))
    apply(.exitEnd(mm))
  }

  /// The baseline's entry in the notation of the reference: `WD+`, `rc-`, `swap+`, `-` for none.
  func state(_ mm: MMID, _ vpn: Int) -> String {
    let world = lockstep.baseline
    let entry = world.entry(mm, page(vpn))
    let sign = world.claim(mm, page(vpn)).isExclusive ? "+" : "-"
    switch entry.kind {
    case .none: return "none"
    case .present:
      let uffd = entry.uffdWP ? "U" : ""
      return (entry.writable ? "W" : "r") + (entry.dirty ? "D" : "c") + uffd + sign
    case .zeroPage: return "zero"
    case .swap: return "swap" + sign
    case .migrationRead: return "mig-R"
    case .migrationReadExclusive: return "mig-RX"
    case .migrationWrite: return "mig-W"
    case .devicePrivate: return "dev-" + (entry.writable ? "W" : "R") + sign
    case .deviceExclusive: return "devexcl" + sign
    case .filePage: return "file"
    case .hwpoison: return "hwpoison"
    case .markerUffdWP, .markerGuard, .markerPoison: return "marker"
    }
  }

  func folio(_ mm: MMID, _ vpn: Int) -> UInt32 { lockstep.baseline.entry(mm, page(vpn)).index }

  /// The verdict an encoding's world holds for an entry.
  func verdict(_ id: EncodingID, _ mm: MMID, _ vpn: Int) -> Verdict {
    switch id {
    case .baseline: .ok
    case .aAndLazy: verdict(lockstep.aAndLazy, mm, vpn)
    case .aAndEager: verdict(lockstep.aAndEager, mm, vpn)
    case .aOr: verdict(lockstep.aOr, mm, vpn)
    case .b: verdict(lockstep.b, mm, vpn)
    case .cStrict: verdict(lockstep.cStrict, mm, vpn)
    case .cRaw: lockstep.baseline.entry(mm, page(vpn)).verdict
    }
  }

  private func verdict<E: Encoding>(_ lane: Lane<E>?, _ mm: MMID, _ vpn: Int) -> Verdict {
    lane?.world.entry(mm, page(vpn)).verdict ?? .ok
  }

  func log(_ id: EncodingID) -> DivergenceLog? {
    switch id {
    case .baseline: nil
    case .aAndLazy: lockstep.aAndLazy?.log
    case .aAndEager: lockstep.aAndEager?.log
    case .aOr: lockstep.aOr?.log
    case .b: lockstep.b?.log
    case .cStrict: lockstep.cStrict?.log
    case .cRaw: lockstep.cRaw
    }
  }

  /// Every verdict the encoding ever came to, LOST included.
  func seen(_ id: EncodingID) -> Set<Verdict> { Set(log(id)?.signatures.map(\.verdict) ?? []) }
}
