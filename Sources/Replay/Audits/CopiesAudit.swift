// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// What copy on write cost whom: pages that fork shared, and which side copied them.
package struct CopiesAudit: Audit {
  package static let description = AuditDescription(
    "copies", question: "What did copy on write cost whom?",
    text: """
      Pages shared are the kernel's own count (rss_stat of the child while it is made); where a kernel gives none, the \
      entries that the model copied. A copy is the child's when an ancestor of its mm still maps the page, else the \
      parent's. Every copy is a decision that verify holds against the model.
      """,
    figures: [
      Figure("forks", "forks", "Forks that went through.", needs: [.forks]),
      Figure("shared_pages", "anonymous pages shared", "Over all forks.", needs: [.forks]),
      Figure(
        "copied_by_child", "copied by the child", "Pages that the forked mm wrote to while an ancestor mapped them.",
        needs: [.forks, .pageFaults, .allocations]),
      Figure(
        "copied_by_parent", "copied by the parent",
        "Pages that an mm copied which a descendant, or nobody seen, mapped.",
        needs: [.forks, .pageFaults, .allocations]),
      Figure(
        "reused", "reused", "Write faults that kept the page: nobody else mapped it any more.",
        needs: [.forks, .pageFaults, .allocations]),
      Figure("bytes", "bytes copied", "Of both sides.", needs: [.forks, .pageFaults, .allocations]),
    ])
  private static let interests: AuditInterests = [AuditInterests([.fork, .writeFault]), .forkEvents]
  package var interests: AuditInterests { Self.interests }

  private typealias Figure = AuditDescription.Figure

  /// What one mm shared and broke.
  private struct Account {
    let parent: MMID?
    let task: TaskID
    let madeAt: Sequence
    /// Pages it came with, by the kernel's count.
    var inherited: UInt64 = 0
    var copied: UInt64 = 0
    var reused: UInt64 = 0
  }

  /// By number of the mm.
  private var accounts: [Account?] = []
  /// The page that a write fault is about, as it was before: its folio, and which page of it.
  private var faulting: (folio: FolioID, index: Int)?
  private var forks: UInt64 = 0
  private var sharedPages: UInt64 = 0
  private var copiedByChild: UInt64 = 0
  private var copiedByParent: UInt64 = 0
  private var reused: UInt64 = 0
  /// Mms that copied most.
  private static let exampleCount = 5

  package init(_ facts: KernelFacts) {}

  package mutating func saw(_ record: MMEventRecord, _ world: borrowing World<Baseline>) {
    if case .forkCounted(let child, .anonymous, let pages) = record.event { change(child) { $0.inherited = pages } }
  }

  package mutating func before(
    _ step: Operation, _ world: borrowing World<Baseline>, _ doubts: Doubts, _ record: MMEventRecord
  ) {
    guard case .writeFault(let mm, let page, _, _) = step else { return }
    faulting = world.memory.mappedPage(mm, page)
  }

  package mutating func after(
    _ step: Operation, _ outcome: Outcome, _ world: borrowing World<Baseline>, _ record: MMEventRecord
  ) {
    switch step {
    case .writeFault(let mm, _, _, _): decided(mm, outcome, world)
    case .forkBegin(let parent, let child):
      open(child, Account(parent: parent, task: record.task, madeAt: record.sequence))
      if account(parent) == nil { open(parent, Account(parent: nil, task: record.task, madeAt: record.sequence)) }
    case .forkEnd(_, let child):
      forks += 1
      if account(child)?.inherited == 0 {
        let pages = UInt64(world.memory.countAnonymous(child, in: .everything).present)
        change(child) { $0.inherited = pages }
      }
      sharedPages += account(child)?.inherited ?? 0
    case .forkAbort(_, let child): accounts[Int(child.rawValue)] = nil
    default: break
    }
  }

  private mutating func decided(_ mm: MMID, _ outcome: Outcome, _ world: borrowing World<Baseline>) {
    guard let (folio, index) = faulting, !world.memory.isHugetlb(folio) else { return }
    switch outcome {
    case .reused:
      reused += 1
      change(mm) { $0.reused += 1 }
    case .copied(from: folio?, to: _):
      change(mm) { $0.copied += 1 }
      if isMappedByAncestor(of: mm, folio, index, world) { copiedByChild += 1 } else { copiedByParent += 1 }
    default: break
    }
  }

  private func isMappedByAncestor(
    of mm: MMID, _ folio: FolioID, _ index: Int, _ world: borrowing World<Baseline>
  ) -> Bool {
    // Most who copy were forked by nobody.
    guard account(mm)?.parent != nil else { return false }
    for mapper in world.memory.mappers(of: folio, page: index) {
      var ancestor = account(mm)?.parent
      while let one = ancestor {
        if mapper.mm == one { return true }
        ancestor = account(one)?.parent
      }
    }
    return false
  }

  // — accounts

  @inline(__always)
  private func account(_ mm: MMID) -> Account? {
    Int(mm.rawValue) < accounts.count ? accounts[Int(mm.rawValue)] : nil
  }

  @inline(__always)
  private mutating func change(_ mm: MMID, _ body: (inout Account) -> Void) {
    guard var account = account(mm) else { return }
    body(&account)
    accounts[Int(mm.rawValue)] = account
  }

  private mutating func open(_ mm: MMID, _ account: Account) {
    while accounts.count <= Int(mm.rawValue) { accounts.append(nil) }
    accounts[Int(mm.rawValue)] = account
  }

  package func figures(pageShift: UInt8) -> [String: UInt64] {
    [
      "forks": forks, "shared_pages": sharedPages, "copied_by_child": copiedByChild,
      "copied_by_parent": copiedByParent, "reused": reused, "bytes": (copiedByChild + copiedByParent) << pageShift,
    ]
  }

  package func examples(pageShift: UInt8) -> [AuditExample] {
    let all = accounts.indices.compactMap { index in accounts[index].map { (mm: MMID(UInt32(index)), account: $0) } }
    return all.filter { $0.account.copied > 0 }
      .sorted { ($1.account.copied, $0.mm) < ($0.account.copied, $1.mm) }.prefix(Self.exampleCount)
      .map { mm, account in
        let origin = account.parent.map { "came with \(account.inherited) pages of mm\($0.rawValue), " } ?? ""
        return AuditExample(
          "mm\(mm.rawValue) (pid \(account.task.rawValue)) \(origin)copied \(account.copied), reused \(account.reused)",
          mm: mm, sequence: account.madeAt)
      }
  }
}
