// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// What khugepaged and `MADV_COLLAPSE` found, and who came into the window between isolation and the new folio.
///
/// In that window today's kernel holds mmap_lock for writing with the PMD cleared (`collapse_huge_page`): a fault of
/// another thread waits. An algorithm that collapses under migration entries instead would meet the same threads there.
package struct CollapseAudit: Audit {
  package static let description = AuditDescription(
    "collapse", question: "What do collapses meet, and who waits for them?",
    text: """
      An attempt is a mm_collapse_huge_page, whatever became of it; scans that end before it are not traced. A window \
      lasts from the isolation of the small pages to the end of the attempt, by the task's own events; who is in it is \
      whoever of that mm faults, unmaps, changes protection or forks there. Sources are the entries of the range as the \
      model has them. The kernel referees the scan: none_or_zero of its event against the model's count.
      """,
    figures: [
      Figure("attempts", "attempts", "mm_collapse_huge_page events of mms that are followed.", needs: [.collapses]),
      Figure("succeeded", "succeeded", "Those that made a folio.", needs: [.collapses]),
      Figure("windows", "windows", "Attempts that isolated their pages.", needs: [.collapses]),
      Figure(
        "windows_with_fault", "windows with a fault", "Of the same mm: that fault waited, or came just after.",
        needs: [.collapses, .pageFaults]),
      Figure(
        "windows_with_change", "windows with another change",
        "munmap, mprotect, madvise, mremap or fork of the same mm.", needs: [.collapses, .calls]),
      Figure("window_ns", "ns in windows", "All windows together.", needs: [.collapses]),
      Figure(
        "sources_exclusive", "exclusive sources", "Pages whose flag was set when they were collapsed.",
        needs: [.collapses, .pageFaults]),
      Figure(
        "sources_shared", "shared sources", "Pages whose flag was clear, or is not known.",
        needs: [.collapses, .pageFaults]),
      Figure(
        "sources_none", "holes filled", "Entries with nothing, or the zero page.", needs: [.collapses, .pageFaults]),
      Figure("sources_swap", "swap entries", "Read in before.", needs: [.collapses, .pageFaults]),
      Figure(
        "scans_checked", "scans checked", "Isolations whose none_or_zero the kernel told and whose range is known.",
        needs: [.collapses, .pageFaults]),
      Figure("scans_agree", "agree", "The model counts as many.", needs: [.collapses, .pageFaults]),
    ])
  private static let idle: AuditInterests = [AuditInterests(.collapse), .collapseEvents]
  /// While a window is open, what happens in it.
  private static let watching = idle.union(
    AuditInterests([.anonymousFault, .writeFault, .thpFault, .zap, .dontNeed, .mprotect, .mremap, .fork]))
  package var interests: AuditInterests { open.isEmpty ? Self.idle : Self.watching }

  private typealias Figure = AuditDescription.Figure

  private struct Window {
    let since: Timestamp
    let missing: UInt16?
    /// Where the page that the event named was mapped.
    let places: [(mm: MMID, page: VirtualPage)]
    /// Of every mm: whose the window is shows at its end.
    var faulted: Set<MMID> = []
    var changed: Set<MMID> = []
  }

  /// By the task that collapses.
  private var open: [TaskID: Window] = [:]
  private var counts: [String: UInt64] = [:]
  private var firsts: [AuditExample] = []
  private static let exampleCount = 5

  package init(_ facts: KernelFacts) {}

  package mutating func saw(_ record: MMEventRecord, _ world: borrowing World<Baseline>) {
    switch record.event {
    case .collapseBegan(let pfn, let missing):
      open[record.task] = Window(since: record.time, missing: missing, places: world.memory.mappers(of: pfn))
    case .collapseFailed:
      counts["attempts", default: 0] += 1
      if let mm = record.mm { end(mm, record) }
    default: break
    }
  }

  package mutating func before(
    _ step: Operation, _ world: borrowing World<Baseline>, _ doubts: Doubts, _ record: MMEventRecord
  ) {
    if case .collapse(let mm, let page, let order, _, _) = step {
      collapses(mm, PageRange(start: page, count: order.pageCount), order, world, record)
      return
    }
    guard !open.isEmpty, let mm = record.mm else { return }
    for task in open.keys where task != record.task {
      if case .fault = record.event { open[task]?.faulted.insert(mm) } else { open[task]?.changed.insert(mm) }
    }
  }

  private mutating func collapses(
    _ mm: MMID, _ range: PageRange, _ order: FolioOrder, _ world: borrowing World<Baseline>, _ record: MMEventRecord
  ) {
    counts["attempts", default: 0] += 1
    counts["succeeded", default: 0] += 1
    var (exclusive, shared, swapped) = (0, 0, 0)
    for ref in world.memory.liveRefs(mm, range) {
      let entry = world.memory.entry(ref)
      if entry.refersToFolio {
        if Baseline.claim(world, ref, entry).isExclusive { exclusive += 1 } else { shared += 1 }
      } else if entry.kind == .swap {
        swapped += 1
      }
    }
    let holes = range.count - exclusive - shared - swapped
    counts["sources_exclusive", default: 0] += UInt64(exclusive)
    counts["sources_shared", default: 0] += UInt64(shared)
    counts["sources_swap", default: 0] += UInt64(swapped)
    counts["sources_none", default: 0] += UInt64(max(holes, 0))
    if let window = open[record.task], let missing = window.missing, world.memory.isComplete(mm),
      window.places.contains(where: { $0.mm == mm && range.contains($0.page) })
    {
      counts["scans_checked", default: 0] += 1
      if holes == Int(missing) { counts["scans_agree", default: 0] += 1 }
    }
    if firsts.count < Self.exampleCount {
      firsts.append(
        AuditExample(
          "order \(order.rawValue) in mm\(mm.rawValue): \(exclusive) exclusive, \(shared) shared, \(swapped) swapped, "
            + "\(holes) missing", mm: mm, page: range.start, sequence: record.sequence))
    }
    end(mm, record)
  }

  /// The task's attempt is over.
  private mutating func end(_ mm: MMID, _ record: MMEventRecord) {
    guard let window = open.removeValue(forKey: record.task) else { return }
    counts["windows", default: 0] += 1
    counts["window_ns", default: 0] += record.time.nanoseconds &- window.since.nanoseconds
    if window.faulted.contains(mm) { counts["windows_with_fault", default: 0] += 1 }
    if window.changed.contains(mm) { counts["windows_with_change", default: 0] += 1 }
  }

  package func figures(pageShift: UInt8) -> [String: UInt64] { counts }

  package func examples(pageShift: UInt8) -> [AuditExample] { firsts }
}
