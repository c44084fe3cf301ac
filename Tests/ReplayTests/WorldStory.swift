// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// A small story about processes P, Q, R and their pages, told to all encodings at once.
struct Story {
  static let p = MMID(0)
  static let q = MMID(1)
  static let r = MMID(2)
  /// Page 0 of the stories: 2 MiB aligned.
  static let base = VirtualPage(512 * 16)

  var lockstep: Lockstep
  private var sequence: UInt64 = 0
  /// All that happened.
  private(set) var operations: [Operation] = []
  /// The VMA of the pages, for operations that need it.
  var vma = VMAFacts.anonymous

  init(
    _ ids: [EncodingID] = EncodingID.standard, facts: KernelFacts = .v7_3, without switches: [CallSiteSwitch] = [],
    options: WorldOptions = WorldOptions()
  ) {
    var options = options
    options.followsContent = true
    lockstep = Lockstep(ids, facts: facts, switches: SwitchSet(without: switches), options: options)
    lockstep.scope = .everything
    lockstep.baseline.memory.takesPageCensus = true
    apply(.createMM(Self.p, .exec))
  }

  @discardableResult
  mutating func apply(_ operation: Operation) -> Outcome {
    sequence += 1
    operations.append(operation)
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

  /// The baseline's entry in the notation of the stories: `WD+`, `rc-`, `swap+`, `-` for none.
  func state(_ mm: MMID, _ vpn: Int) -> String {
    let entry = lockstep.baseline.memory.entry(mm, page(vpn))
    let sign = lockstep.baseline.claim(mm, page(vpn)).isExclusive ? "+" : "-"
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

  func folio(_ mm: MMID, _ vpn: Int) -> FolioID { lockstep.baseline.memory.entry(mm, page(vpn)).folio }

  /// The verdict an encoding's world holds for an entry.
  func verdict(_ id: EncodingID, _ mm: MMID, _ vpn: Int) -> Verdict {
    let page = page(vpn)
    return switch id {
    case .aAndLazy: lockstep.aAndLazy?.verdict(mm, page) ?? .ok
    case .aAndEager: lockstep.aAndEager?.verdict(mm, page) ?? .ok
    case .aOr: lockstep.aOr?.verdict(mm, page) ?? .ok
    case .cRaw: lockstep.baseline.memory.entry(mm, page).verdict
    default: lockstep.openLane(id)?.verdict(mm, page) ?? .ok
    }
  }

  func log(_ id: EncodingID) -> DivergenceLog? { lockstep.findings.map(\.log).first { $0.encoding == id } }

  /// Every verdict the encoding ever came to, LOST included.
  func seen(_ id: EncodingID) -> Set<Verdict> { Set(log(id)?.signatures.map(\.verdict) ?? []) }
}

/// Short forms, so that a test reads like a story.
extension Story {
  mutating func write(_ mm: MMID, _ vpn: Int) { apply(.store(mm, page(vpn), vma)) }
  mutating func read(_ mm: MMID, _ vpn: Int) { apply(.load(mm, page(vpn), vma)) }
  mutating func swapOut(_ mm: MMID, _ vpn: Int, keeps: Bool = false, writeback: Bool = false, stable: Bool = false) {
    apply(.swapOut(mm, page(vpn), keepsCache: keeps, writeback: writeback, stableWrites: stable))
  }
  @discardableResult
  mutating func pin(_ mm: MMID, _ vpn: Int, write: Bool = false) -> Outcome {
    apply(.pin(mm, page(vpn), vma, write: write))
  }
  /// mprotect to PROT_READ; later operations see the new protection.
  mutating func readOnly(_ mm: MMID, _ pages: Range<Int>) {
    vma.protection = [.read]
    apply(.protect(mm, range(pages), vma))
  }
  mutating func readWrite(_ mm: MMID, _ pages: Range<Int>) {
    vma.protection = [.read, .write]
    apply(.protect(mm, range(pages), vma))
  }
  mutating func migrate(_ mm: MMID, _ vpn: Int) {
    apply(.migrationBegin(mm, page(vpn)))
    apply(.migrationEnd(mm, page(vpn)))
  }

  /// F[order] at vpn 0, written.
  static func large(
    _ order: UInt8, facts: KernelFacts = .v7_3, without: [CallSiteSwitch] = []
  ) -> Story {
    var story = Story(facts: facts, without: without)
    story.apply(.anonymousFault(p, story.page(0), FolioOrder(order), story.vma))
    for vpn in 0..<(1 << Int(order)) { story.write(p, vpn) }
    return story
  }

  static func thp(without: [CallSiteSwitch] = []) -> Story {
    var story = Story(without: without)
    story.apply(.hugeFault(p, story.page(0), story.vma, write: true, isHugetlb: false))
    story.write(p, 0)
    return story
  }

  /// G-01.
  static func written(
    facts: KernelFacts = .v7_3, without: [CallSiteSwitch] = [], options: WorldOptions = WorldOptions()
  ) -> Story {
    var story = Story(facts: facts, without: without, options: options)
    story.write(p, 0)
    return story
  }

  /// G-07: swapped out and read back, writable and clean.
  static func swappedBack(without: [CallSiteSwitch] = []) -> Story {
    var story = written(without: without)
    story.swapOut(p, 0)
    story.read(p, 0)
    return story
  }

  func states(_ mm: MMID, _ pages: Range<Int>) -> [String] { pages.map { state(mm, $0) } }
  func verdicts(_ id: EncodingID, _ mm: MMID, _ pages: Range<Int>) -> [Verdict] {
    pages.map { verdict(id, mm, $0) }
  }

  /// Encodings that, fully done, must never be worse than conservative.
  static let sound = EncodingRegistry.all.filter { $0.isSound && $0.role == .proposal }.map { $0.id }

  func expectAllOK(_ id: EncodingID, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(seen(id) == [], "\(id.rawValue)", sourceLocation: sourceLocation)
  }
}
