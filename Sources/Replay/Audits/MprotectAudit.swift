// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Where `mprotect` would have given write back by another page's flag, had it taken the first page of the folio for the
/// first page of its batch.
package struct MprotectAudit: Audit {
  package static let description = AuditDescription(
    "mprotect", question: "Where would mprotect have decided by the flag of the wrong page?",
    text: """
      Where mprotect leaves a private mapping writable, and where a userfaultfd takes its write protection back, \
      change_pte_range makes the entries of exclusive pages writable at once. Since 6.17 it goes by batches: present \
      entries of one VMA and one page table that map consecutive pages of one large folio, alike in write, soft-dirty, \
      uffd-wp and protnone. The i-th entry of a batch whose first maps page k of its folio has to go by the flag of page \
      k + i; 6.17-rc1 went by page i (mm/mprotect.c, commit_anon_folio_batch). Both are read here for every entry of \
      every batch whose result may become writable, batches of one entry included. Page i may be mapped nowhere: then \
      its flag is whatever its last mapping left.

      Kernels before 6.17 have no batches: of their captures the figures say what the same calls would have come to. A \
      trace does not tell what a userfaultfd protects: in captures the calls are mprotect's. A PMD that is changed whole \
      has one flag, and is not counted; one that is changed in part is split first.

      verify holds the outcome against the kernel: a page copied at an entry that the model has writable is a \
      disagreement, and so is a flag that a snapshot shows otherwise.
      """,
    figures: [
      Figure(
        "calls", "calls that grant write", "Calls that left private memory writable which they had to change.",
        needs: [.calls]),
      Figure(
        "calls_hit", "of them with a wrong decision", "Calls with an entry of one of the three kinds below.",
        needs: [.calls, .pageFaults]),
      Figure(
        "ptes", "entries in batches", "Present entries of large folios whose flag was asked for.",
        needs: [.calls, .pageFaults]),
      Figure(
        "batches", "batches", "Runs of such entries that the kernel takes at once; one entry is a run.",
        needs: [.calls, .pageFaults]),
      Figure(
        "batches_inside_folio", "of them not from their folio's first page",
        "Batches whose first entry maps another page of the folio than its first: the only ones to go wrong.",
        needs: [.calls, .pageFaults]),
      Figure(
        "sub_batches", "runs of equal flags", "Parts of batches with equal flags, which are written at once.",
        needs: [.calls, .pageFaults]),
      Figure(
        "bug_unsafe", "entries the wrong page makes UNSAFE",
        "The wrong page is exclusive, the right one is not, and somebody else sees it: a missed copy.",
        needs: [.calls, .pageFaults]),
      Figure(
        "bug_cons_fault", "CONS-fault", "The wrong page is not exclusive and the right one is: one fault more.",
        needs: [.calls, .pageFaults]),
      Figure(
        "bug_i1_break", "I1-BREAK",
        "The wrong page is exclusive, the right one is not, though nobody else sees it: writable and not exclusive.",
        needs: [.calls, .pageFaults]),
      Figure(
        "unknown", "entries not known",
        "What decides was never seen or is in doubt: a flag, who else sees the page, or whether the entry was writable.",
        needs: [.calls, .pageFaults]),
    ])
  private static let interests = AuditInterests([.mprotect, .userfault])
  package var interests: AuditInterests { Self.interests }

  private typealias Figure = AuditDescription.Figure

  /// What comes of the wrong page's flag.
  private enum Wrong: Int, CaseIterable {
    case unsafe, conservativeFault, invariantBreak

    var verdict: Verdict {
      switch self {
      case .unsafe: .unsafe
      case .conservativeFault: .conservativeFault
      case .invariantBreak: .invariantBreak
      }
    }
  }

  /// Entries that the kernel takes at once.
  private struct Batch {
    let mm: MMID
    var start: VirtualPage
    /// Of the first entry; the others follow. Of a PMD that is to be split, the PMD's.
    let ref: EntryRef
    var count: Int
    let folio: FolioID
    /// k: the page of the folio that the first entry maps.
    var first: Int
    let splitsPMD: Bool

    func ref(_ index: Int) -> EntryRef {
      splitsPMD ? ref : EntryRef(table: ref.table, slot: ref.slot + index)
    }
  }

  private var calls: UInt64 = 0
  private var callsHit: UInt64 = 0
  private var ptes: UInt64 = 0
  private var batches: UInt64 = 0
  private var batchesInside: UInt64 = 0
  private var subBatches: UInt64 = 0
  private var wrong: [UInt64] = Array(repeating: 0, count: Wrong.allCases.count)
  private var unknown: UInt64 = 0
  /// The call under way: it takes a step per VMA.
  private var call: Sequence?
  private var callIsHit = false
  private var firsts: [AuditExample?] = Array(repeating: nil, count: Wrong.allCases.count)

  package init(_ facts: KernelFacts) {}

  package mutating func before(
    _ step: Operation, _ world: borrowing World<Baseline>, _ doubts: Doubts, _ record: MMEventRecord
  ) {
    switch step {
    case .protect(let mm, let range, let vma): walk(mm, range, vma, resolves: false, world, doubts, record)
    case .uffdResolve(let mm, let range, let vma): walk(mm, range, vma, resolves: true, world, doubts, record)
    default: break
    }
  }

  private mutating func walk(
    _ mm: MMID, _ range: PageRange, _ vma: VMAFacts, resolves: Bool, _ world: borrowing World<Baseline>,
    _ doubts: Doubts, _ record: MMEventRecord
  ) {
    guard vma.protection.contains(.write), !vma.protection.contains(.unknown), vma.backing != .shared,
      !vma.backing.isHugetlb
    else { return }
    if call != record.sequence {
      call = record.sequence
      callIsHit = false
      calls += 1
    }
    let refs = world.memory.liveRefs(mm, range)
    var position = 0
    while position < refs.count {
      // `mprotect_folio_pte_batch`, on every kernel.
      let end = world.batchEnd(refs, from: position) { first, next in
        next.writable == first.writable && next.writableUnknown == first.writableUnknown
          && next.softDirty == first.softDirty
      }
      if let batch = Self.batch(from: refs[position], count: end - position, mm, range, world) {
        let entry = world.memory.entry(refs[position])
        if entry.writableUnknown {
          unknown += UInt64(batch.count)
        } else if !vma.needsSoftDirtyWP(entry), resolves || !entry.uffdWP {
          judge(batch, world, doubts, record)
        }
      }
      position = end
    }
  }

  /// `nil` where there is no large folio, or all of its PMD is changed.
  private static func batch(
    from ref: EntryRef, count: Int, _ mm: MMID, _ range: PageRange, _ world: borrowing World<Baseline>
  ) -> Batch? {
    let entry = world.memory.entry(ref)
    guard entry.kind == .present, world.memory.isLarge(entry.folio) else { return nil }
    var batch = Batch(
      mm: mm, start: world.memory.owner(ref).page, ref: ref, count: count, folio: entry.folio, first: entry.page,
      splitsPMD: world.memory.isHuge(ref))
    guard batch.splitsPMD else { return batch }
    guard let part = PageRange(around: batch.start, FolioOrder(9)).intersection(range), part.count < 512 else {
      return nil
    }
    batch.start = part.start
    batch.count = part.count
    batch.first = Int(part.start.rawValue & 511)
    return batch
  }

  /// `commit_anon_folio_batch`, as it is and as it was.
  private mutating func judge(
    _ batch: Batch, _ world: borrowing World<Baseline>, _ doubts: Doubts, _ record: MMEventRecord
  ) {
    batches += 1
    ptes += UInt64(batch.count)
    if batch.first > 0 { batchesInside += 1 }
    var last: Claim = .unknown
    for index in 0..<batch.count {
      let isInDoubt = !doubts.isEmpty && doubts.cause(batch.mm, batch.start.advanced(by: index)) != nil
      let right = isInDoubt ? .unknown : Self.flag(batch, batch.first + index, world, doubts)
      if right != .unknown, right != last { subBatches += 1 }
      last = right
      let taken = batch.first == 0 ? right : Self.flag(batch, index, world, doubts)
      guard right != .unknown, taken != .unknown else {
        unknown += 1
        continue
      }
      guard right != taken else { continue }
      if right == .exclusive {
        note(.conservativeFault, batch, index, record)
      } else {
        switch world.memory.truth(batch.ref(index), doubts) {
        case .shared: note(.unsafe, batch, index, record)
        case .exclusive: note(.invariantBreak, batch, index, record)
        case .unknown: unknown += 1
        }
      }
    }
  }

  /// PAE of a page of the batch's folio, unknown where all who map it are in doubt. A PMD's flag is its head's, and goes
  /// to all pages when it is split.
  private static func flag(
    _ batch: Batch, _ page: Int, _ world: borrowing World<Baseline>, _ doubts: Doubts
  ) -> Claim {
    if !doubts.isEmpty {
      let mappers = world.memory.mappers(of: batch.folio, page: batch.splitsPMD ? 0 : page)
      if !mappers.isEmpty, mappers.allSatisfy({ doubts.cause($0.mm, $0.page) != nil }) { return .unknown }
    }
    if batch.splitsPMD, world.memory.pageBit(batch.folio, 0) == .exclusive { return .exclusive }
    return world.memory.pageBit(batch.folio, page)
  }

  private mutating func note(_ kind: Wrong, _ batch: Batch, _ index: Int, _ record: MMEventRecord) {
    wrong[kind.rawValue] += 1
    if !callIsHit {
      callIsHit = true
      callsHit += 1
    }
    guard firsts[kind.rawValue] == nil else { return }
    firsts[kind.rawValue] = AuditExample(
      "\(kind.verdict.rawValue): mm\(batch.mm.rawValue), page \(batch.first + index) of its folio by the flag of page \(index)",
      mm: batch.mm, page: batch.start.advanced(by: index), sequence: record.sequence)
  }

  package func figures(pageShift: UInt8) -> [String: UInt64] {
    [
      "calls": calls, "calls_hit": callsHit, "ptes": ptes, "batches": batches, "batches_inside_folio": batchesInside,
      "sub_batches": subBatches, "bug_unsafe": wrong[Wrong.unsafe.rawValue],
      "bug_cons_fault": wrong[Wrong.conservativeFault.rawValue], "bug_i1_break": wrong[Wrong.invariantBreak.rawValue],
      "unknown": unknown,
    ]
  }

  package func examples(pageShift: UInt8) -> [AuditExample] { firsts.compactMap(\.self) }
}
