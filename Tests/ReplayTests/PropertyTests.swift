// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay
import Testing

/// Random operations of up to three processes on a handful of pages: two small tables, one large folio that
/// straddles nothing, and (`withTHP`) one PMD.
struct RandomHistory {
  var story: Story
  var random: SplitMix64
  var live: [MMID] = [Story.p]
  var nextID: UInt32 = 1
  /// Pages whose VMA is read-only, per mm.
  var readOnlyPages: [MMID: Set<Int>] = [Story.p: []]
  var steps: [String] = []
  let pages: [Int]

  init(seed: UInt64, facts: KernelFacts = .v7_3, without: [CallSiteSwitch] = [], withTHP: Bool) {
    story = Story(facts: facts, without: without)
    random = SplitMix64(seed: seed)
    pages = withTHP ? [0, 1, 7, 511] : [0, 1, 2, 3, 4, 5, 512, 513]
    if withTHP {
      story.apply(.hugeFault(Story.p, story.page(0), story.vma, write: true, isHugetlb: false))
    } else {
      story.apply(.anonymousFault(Story.p, story.page(0), FolioOrder(2), story.vma))
    }
  }

  func vma(_ mm: MMID, _ vpn: Int) -> VMAFacts {
    readOnlyPages[mm]?.contains(vpn) == true ? .readOnly : .anonymous
  }

  /// One operation the kernel could do now. `freesLazily` allows MADV_FREE, after which contents may go by right.
  mutating func step(freesLazily: Bool) {
    guard let mm = live.randomElement(using: &random), let vpn = pages.randomElement(using: &random) else { return }
    let page = story.page(vpn)
    let one = story.range(vpn..<vpn + 1)
    let facts = vma(mm, vpn)
    let operation: Operation
    switch Int.random(in: 0..<34, using: &random) {
    case 0...5: operation = .store(mm, page, facts)
    case 6, 7: operation = .load(mm, page, facts)
    case 8, 9:
      fork(mm)
      return
    case 10:
      exit(mm)
      return
    case 11, 12:
      protect(mm)
      return
    case 13: operation = .zap(mm, one)
    case 14:
      operation = .swapOut(mm, page, keepsCache: Bool.random(using: &random), writeback: false, stableWrites: false)
    case 15: operation = .endWriteback(mm, page, drops: true)
    case 16: operation = .swapOff
    case 17: operation = .migrationBegin(mm, page)
    case 18: operation = .migrationEnd(mm, page)
    case 19: operation = .pin(mm, page, facts, write: false)
    case 20: operation = .pin(mm, page, facts, write: facts.mayWrite)
    case 21, 22: operation = .unpin(mm, page)
    case 23: operation = ksm(mm, page)
    case 24: operation = .ksmUnmerge(mm, one, facts)
    case 25: operation = .splitFolio(mm, page)
    case 26: operation = .move(mm, one, story.page(1024 + vpn))
    case 27: operation = .move(mm, story.range(1024 + vpn..<1025 + vpn), page)
    case 28: operation = .numaScan(mm, one)
    case 29: operation = .uffdWriteProtect(mm, one, facts)
    case 30: operation = .uffdResolve(mm, one, facts)
    case 31: operation = .clearSoftDirty(mm, one)
    case 32: operation = freesLazily ? .lazilyFree(mm, one, facts) : .age(mm, one)
    default: operation = Bool.random(using: &random) ? .takeReference(mm, page) : .dropReference(mm, page)
    }
    guard isPossible(operation) else { return }
    apply(operation)
  }

  /// A move needs an empty destination (mremap unmaps it first); a migration entry under a pin or a fault would
  /// make the caller wait.
  private func isPossible(_ operation: Operation) -> Bool {
    guard case .move(let mm, _, let destination) = operation else { return true }
    return story.lockstep.baseline.memory.entry(mm, destination).kind == .none
  }

  private mutating func ksm(_ mm: MMID, _ page: VirtualPage) -> Operation {
    let other = pages.randomElement(using: &random) ?? 0
    return .ksmMerge(mm, page, mm, story.page(other))
  }

  mutating func apply(_ operation: Operation) {
    steps.append("\(operation)")
    story.apply(operation)
  }

  private mutating func fork(_ mm: MMID) {
    guard live.count < 3 else { return }
    let child = MMID(nextID)
    nextID += 1
    apply(.forkBegin(parent: mm, child: child))
    // Part of the pages may be in a DONTFORK VMA.
    let low = Bool.random(using: &random) ? 0 : 2
    apply(.forkCopy(parent: mm, child: child, story.range(low..<1600), .anonymous))
    if Int.random(in: 0..<8, using: &random) == 0 {
      apply(.forkAbort(parent: mm, child: child))
      return
    }
    apply(.forkEnd(parent: mm, child: child))
    live.append(child)
    readOnlyPages[child] = readOnlyPages[mm]
  }

  private mutating func exit(_ mm: MMID) {
    guard live.count > 1 else { return }
    apply(.exitBegin(mm))
    apply(.exitEnd(mm))
    live.removeAll { $0 == mm }
  }

  private mutating func protect(_ mm: MMID) {
    let low = Int.random(in: 0..<4, using: &random)
    let range = low..<(low + Int.random(in: 1...4, using: &random))
    let isReadOnly = Bool.random(using: &random)
    for vpn in range {
      if isReadOnly { readOnlyPages[mm]?.insert(vpn) } else { readOnlyPages[mm]?.remove(vpn) }
    }
    apply(.protect(mm, story.range(range), isReadOnly ? .readOnly : .anonymous))
  }
}

/// What an entry names: a page of a folio, or a swap slot.
private struct Seen: Hashable {
  var target: EntryTarget?
  var page: Int
}

@Suite("Random histories")
struct PropertyTests {
  static let severe: Set<Verdict> = [.unsafe, .unsafeIO, .dataLoss, .conservativePin, .livelock, .invariantBreak]

  private static func check(_ history: RandomHistory, _ seed: UInt64) -> Bool {
    var isFine = true
    func broken<E: Encoding>(_ world: World<E>, _ rules: [any Rule.Type]) {
      for rule in rules {
        for violation in rule.violations(in: world).prefix(1) {
          Issue.record(
            "seed \(seed) \(E.id.rawValue) \(rule.id.rawValue): \(violation.what) at mm \(violation.mm.rawValue) page \(violation.page.rawValue)\n\(history.steps.suffix(12).joined(separator: "\n"))"
          )
          isFine = false
        }
      }
    }
    let lockstep = history.story.lockstep
    broken(lockstep.baseline, RuleCatalogue.all)
    if let world = lockstep.aAndEager?.world { broken(world, RuleCatalogue.all) }
    for encoding in EncodingRegistry.all {
      func lane<E: Encoding>(_ encoding: E.Type) {
        if let world = lockstep.lane(E.self)?.world { broken(world, RuleCatalogue.all) }
      }
      lane(encoding)
    }
    for id in Story.sound {
      let bad = history.story.seen(id).intersection(severe)
      if !bad.isEmpty {
        Issue.record(
          "seed \(seed) \(id.rawValue): \(bad.map(\.rawValue).sorted())\n\(history.steps.suffix(12).joined(separator: "\n"))"
        )
        isFine = false
      }
    }
    return isFine
  }

  /// t by brute force: who else, over all entries of all mms, names the same page or its swap slot.
  private static func observersAgree<E: Encoding>(_ world: World<E>, _ mms: [MMID]) -> Bool {
    var seen: [Seen: Int] = [:]
    var mapped: [(MMID, VirtualPage, Entry, Seen)] = []
    for mm in mms {
      world.memory.forEachEntry(mm, .everything) { page, entry in
        guard entry.kind == .swap || entry.kind.refersToFolio, !world.memory.isPMDMapped(mm, page) else { return }
        let key = Seen(
          target: entry.target, page: entry.kind == .swap ? 0 : entry.page)
        seen[key, default: 0] += 1
        mapped.append((mm, page, entry, key))
      }
    }
    for (mm, page, _, key) in mapped where (seen[key] ?? 0) > 1 {
      guard let ref = world.memory.find(mm, page) else { return false }
      if world.memory.isTrulyExclusive(ref) == .exclusive { return false }
    }
    return true
  }

  @Test("Small and large folios: every rule holds after every step, sound encodings stay sound")
  func smallFolios() {
    for seed in UInt64(1)...60 {
      var history = RandomHistory(seed: seed, withTHP: false)
      for _ in 0..<30 {
        history.step(freesLazily: false)
        guard Self.check(history, seed) else { return }
      }
      #expect(Self.observersAgree(history.story.lockstep.baseline, history.live), "seed \(seed)")
    }
  }

  @Test("The same on the kernels of the fact table", arguments: KernelFacts.all)
  func otherKernels(facts: KernelFacts) {
    for seed in UInt64(1000)...1010 {
      var history = RandomHistory(seed: seed, facts: facts, withTHP: false)
      for _ in 0..<30 {
        history.step(freesLazily: false)
        guard Self.check(history, seed) else { return }
      }
    }
  }

  @Test("A PMD-mapped folio and what becomes of it")
  func hugeFolios() {
    for seed in UInt64(5000)...5001 {
      var history = RandomHistory(seed: seed, withTHP: true)
      for _ in 0..<20 {
        history.step(freesLazily: false)
        guard Self.check(history, seed) else { return }
      }
    }
  }

  @Test(
    "A forgotten call site is found by the same histories",
    arguments: [
      (CallSiteSwitch.bForkSetParent, EncodingID.b), (.bForkSetChild, .b), (.bSwapinAlloc, .b), (.bInstallClear, .b),
      (.bReuseClear, .b), (.bMove, .b), (.bForkNonpresent, .b), (.bRestoreAlloc, .b), (.cFork, .cStrict),
      (.cDirtyMove, .cStrict), (.cUnshare, .cStrict),
    ].filter { EncodingID.allCases.contains($0.1) })
  func forgottenSites(site: CallSiteSwitch, id: EncodingID) {
    var isFound = false
    for seed in UInt64(1)...3000 where !isFound {
      var history = RandomHistory(seed: seed, without: [site], withTHP: false)
      for _ in 0..<30 { history.step(freesLazily: true) }
      isFound = !history.story.seen(id).isDisjoint(with: Self.severe)
    }
    #expect(isFound, "\(site.rawValue)")
  }

  @Test("Lazily freed pages too: no encoding loses what the baseline keeps")
  func lazyFree() {
    for seed in UInt64(9000)...9030 {
      var history = RandomHistory(seed: seed, withTHP: false)
      for _ in 0..<30 {
        history.step(freesLazily: true)
        guard Self.check(history, seed) else { return }
      }
    }
  }
}
