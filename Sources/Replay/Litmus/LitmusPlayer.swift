// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Plays a story in one world: turns its steps into transitions and keeps what a world leaves to its caller (the
/// VMAs, the processes' names, the folios' names).
struct LitmusPlayer<E: Encoding>: Sendable {
  var world: World<E>
  let kernel: LitmusKernel
  let machine: LitmusMachine
  let choices: [LitmusChoice]
  private(set) var mms: [LitmusProcess: MMID] = [:]
  private(set) var processes: [MMID: LitmusProcess] = [:]
  private var nextMM: UInt32 = 0
  var vmas: [MMID: LitmusVMAMap] = [:]
  /// The child of a fork that is under way, by parent.
  var forks: [LitmusProcess: LitmusProcess] = [:]
  var names = LitmusFolioNames()
  /// What a load of each page should see: the version last stored there.
  var stored: [MMID: [Int: UInt32]] = [:]
  var livelocked: Set<LitmusPage> = []
  /// Every store gets a version of its own; the same in every world of a story.
  var nextVersion: UInt32 = 1
  /// The first version stored under each name of `data`.
  var dataVersions: [String: UInt32] = [:]

  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  init(
    kernel: LitmusKernel, machine: LitmusMachine, configuration: LitmusConfiguration?, skips skipped: KernelPath? = nil
  ) {
    self.kernel = kernel
    self.machine = machine
    choices = configuration?.with ?? []
    var options = WorldOptions()
    options.followsContent = true
    options.knowsEqualData = true
    options.keepsFolioLocks = true
    options.skipped = skipped
    options.hasTwoTablesPerPage = machine.architecture == .twoTablesPerPage
    options.hasContPTE = machine.architecture == .arm64
    options.hardwareDirtiesReadOnly = machine.architecture == .x86WithoutCET
    if choices.contains(.devicePrivateDefaultShared) { options.devicePrivateReadsAs = .shared }
    if choices.contains(.devicePrivateReadIsExclusive) { options.devicePrivateReadsAs = .exclusive }
    if choices.contains(.noMemoryCopy) { options.forkWithoutBitmap = .copy }
    if choices.contains(.ksmKeepsTable) { options.ksmAfterReclaim = .keepsTable }
    if choices.contains(.ksmForgetsBitmap) { options.ksmAfterReclaim = .forgetsBitmap }
    options.fillsDepositAtFork = choices.contains(.fillDepositAtFork)
    options.discardsHardwareDirty = choices.contains(.hardwareDirtyDiscarded)
    options.protectsByWrongPage = configuration?.without.contains(LitmusSwitches.mprotectPage) ?? false
    let switches = (configuration?.without ?? []).flatMap { CallSiteSwitch.named($0) }
    var facts = kernel.facts
    if configuration?.without.contains(LitmusSwitches.lazyfreeWrite) == true { facts.lazyfreeRuns = .mixed }
    world = World(facts: facts, switches: SwitchSet(without: switches), options: options)
  }

  // — processes

  /// A name is free again once its process is gone.
  mutating func introduce(_ process: LitmusProcess) throws(LitmusStop) -> MMID {
    guard isGone(process) else { throw .unsupported("there is a process \(process.name) already") }
    let mm = MMID(nextMM)
    nextMM += 1
    mms[process] = mm
    processes[mm] = process
    return mm
  }

  func mm(_ process: LitmusProcess) throws(LitmusStop) -> MMID {
    guard let mm = mms[process], world.memory.isLive(mm) else { throw .failed }
    return mm
  }

  /// The mm the name stands for, or last stood for: pins and references outlive it.
  func latestMM(_ process: LitmusProcess) throws(LitmusStop) -> MMID {
    guard let mm = mms[process] else { throw .failed }
    return mm
  }

  func isGone(_ process: LitmusProcess) -> Bool { mms[process].map { !world.memory.isLive($0) } ?? true }

  // — VMAs

  func vma(_ mm: MMID, _ page: Int) throws(LitmusStop) -> LitmusVMA {
    guard let vma = vmas[mm]?.vma(at: page) else { throw .failed }
    return vma
  }

  func facts(_ mm: MMID, _ page: Int) throws(LitmusStop) -> VMAFacts {
    guard let area = vmas[mm]?.area(at: page) else { throw .failed }
    return area.facts
  }

  /// `thp_vma_suitable_order`: the aligned folio around the page lies in one VMA.
  func isInOneVMA(_ order: FolioOrder, _ mm: MMID, _ page: Int) -> Bool {
    let first = page & ~(order.pageCount - 1)
    let pages = first..<first + order.pageCount
    return vmas[mm]?.parts(in: pages).first?.pages == pages
  }

  // — entries

  func entry(_ mm: MMID, _ page: Int) -> Entry { world.memory.entry(mm, VirtualPage(UInt64(page))) }

  func find(_ mm: MMID, _ page: Int) -> EntryRef? { world.memory.find(mm, VirtualPage(UInt64(page))) }

  /// The page of its folio that a present entry (or the page inside a PMD) maps.
  func mapped(_ mm: MMID, _ page: Int) -> (folio: FolioID, page: Int)? {
    let entry = entry(mm, page)
    guard entry.kind.refersToFolio else { return nil }
    let isHuge = world.memory.isPMDMapped(mm, VirtualPage(UInt64(page)))
    return (entry.folio, isHuge ? page & 511 : entry.page)
  }

  func folio(_ mm: MMID, _ page: Int) throws(LitmusStop) -> FolioID {
    guard let mapped = mapped(mm, page) else { throw .failed }
    return mapped.folio
  }
}

/// Why a step did not run to its end.
enum LitmusStop: Error {
  /// The operation returned an error, as the kernel would.
  case failed
  /// The model has no such step.
  case unsupported(String)
}

/// Folios by the names a story gives them.
struct LitmusFolioNames: Sendable {
  private(set) var byName: [String: FolioID] = [:]
  /// Names whose folio was freed: they can stand for nothing else.
  private(set) var dead: Set<String> = []

  /// Gives the folio a name, or says why that cannot be.
  mutating func bind(_ name: String, to folio: FolioID) -> String? {
    if dead.contains(name) { return "\(name) was freed, this is another folio" }
    if let known = byName[name] { return known == folio ? nil : "not \(name)" }
    if let other = byName.first(where: { $0.value == folio }) { return "it is \(other.key)" }
    byName[name] = folio
    return nil
  }

  func name(of folio: FolioID) -> String? { byName.first { $0.value == folio }?.key }

  mutating func forget(where isFreed: (FolioID) -> Bool) {
    for (name, folio) in byName where isFreed(folio) {
      byName[name] = nil
      dead.insert(name)
    }
  }
}
