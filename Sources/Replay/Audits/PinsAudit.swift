// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// What pins of user pages did to fork and to shared pages, as far as a trace shows pins.
package struct PinsAudit: Audit {
  package static let description = AuditDescription(
    "pins", question: "What did pins of user pages cost, and were the pages exclusive to the end?",
    text: """
      No tracepoint shows FOLL_PIN. Seen are the calls that read or write a file opened with O_DIRECT, and the range of \
      their memory. That a page of it is pinned is known where the kernel acts on it: GUP faults it in, copies or \
      unshares it (mm/gup.c), or fork copies it for the child at once (copy_present_page). A page that was there and \
      exclusive is pinned without a trace: the pins counted are the least there were. The model ends a pin with its call.

      Not seen, and in no figure: buffers registered with io_uring, for RDMA or vfio; process_vm_readv and \
      process_vm_writev; references without a pin, as vmsplice takes them. Of ptrace and /proc/PID/mem, which take \
      references, only writes are seen whose place is told.

      A pinned page stays exclusive: with CONFIG_DEBUG_VM the kernel looks when the pin is given back \
      (sanity_check_pinned_pages). Here the model looks. Referees are verify, for what is copied and what is kept, and \
      fork itself: what it does not copy at once is not pinned.
      """,
    figures: [
      Figure("calls", "O_DIRECT reads and writes", "Calls that may have pinned their memory.", needs: [.calls]),
      Figure(
        "pins", "pins known", "Pages that such a call, or fork, was seen to have pinned.", needs: [.calls, .pageFaults]),
      Figure(
        "pages", "pages", "Of them, different ones: the same page of an mm is counted once.",
        needs: [.calls, .pageFaults]),
      Figure(
        "forks_while_pinned", "forks meanwhile", "Forks that went through while a page of the parent was known pinned.",
        needs: [.forks, .allocations]),
      Figure(
        "copied_at_fork", "pages copied by fork at once",
        "What copy_present_page allocated for, as the page may be pinned; also where it gave the page back.",
        needs: [.forks, .allocations]),
      Figure(
        "unshares", "pages unshared",
        "Shared pages that were copied to be pinned for reading; without a copy it shows nowhere.",
        needs: [.calls, .pageFaults]),
      Figure(
        "unpin_checks", "unpins", "Pins given back, each of which the kernel's check may look at.",
        needs: [.calls, .pageFaults]),
      Figure(
        "still_exclusive_at_unpin", "of them of exclusive pages", "Where the check passes: all, or something is wrong.",
        needs: [.calls, .pageFaults]),
      Figure(
        "remote_writes", "writes by ptrace or /proc/PID/mem",
        "Into one page of another's memory, which need not be exclusive meanwhile.", needs: [.locks]),
    ])
  private static let interests: AuditInterests = [
    AuditInterests([.pin, .unshare, .fork, .forkAbort]), .forkEvents, .gupEvents,
  ]
  package var interests: AuditInterests { Self.interests }

  private typealias Figure = AuditDescription.Figure

  private struct Page: Hashable {
    let mm: MMID
    let page: VirtualPage
  }

  private var calls: UInt64 = 0
  private var pins: UInt64 = 0
  private var pages: Set<Page> = []
  /// Children that are being copied from a parent with a pinned page.
  private var copying: Set<MMID> = []
  private var forksWhilePinned: UInt64 = 0
  private var copiedAtFork: UInt64 = 0
  private var unshares: UInt64 = 0
  private var unpinChecks: UInt64 = 0
  private var stillExclusive: UInt64 = 0
  private var remoteWrites: UInt64 = 0
  /// The pin that is given back: the check passes.
  private var passes = false
  private var firstFork: AuditExample?
  private var firstUnshare: AuditExample?
  private var firstShared: AuditExample?

  package init(_ facts: KernelFacts) {}

  package mutating func saw(_ record: MMEventRecord, _ world: borrowing World<Baseline>) {
    switch record.event {
    case .directIOBegan: calls += 1
    case .forkCopiedPinned(let child, _):
      copiedAtFork += 1
      copying.insert(child)
    case let event where event.isRemoteFault: remoteWrites += 1
    default: break
    }
  }

  package mutating func before(
    _ step: Operation, _ world: borrowing World<Baseline>, _ doubts: Doubts, _ record: MMEventRecord
  ) {
    switch step {
    case .forkCopy(let parent, let child, _, _):
      if world.pins.contains(where: { $0.mm == parent && !$0.isZapped }) { copying.insert(child) }
    case .unpin(let mm, let page): passes = world.unpinCheck(mm, page) == .passes
    default: break
    }
  }

  package mutating func after(
    _ step: Operation, _ outcome: Outcome, _ world: borrowing World<Baseline>, _ record: MMEventRecord
  ) {
    switch step {
    case .forkEnd(let parent, let child): forked(parent, child, record)
    case .forkAbort(_, let child): copying.remove(child)
    case .pin(let mm, let page, _, _, _):
      guard case .reused = outcome else { return }
      pins += 1
      pages.insert(Page(mm: mm, page: page))
    case .unpin(let mm, let page):
      guard outcome == .done else { return }
      unpinChecks += 1
      if passes {
        stillExclusive += 1
      } else if firstShared == nil {
        firstShared = AuditExample(
          "mm\(mm.rawValue): unpinned and not exclusive", mm: mm, page: page, sequence: record.sequence)
      }
    case .unshare(let mm, let page, _):
      guard case .copied = outcome else { return }
      unshares += 1
      if firstUnshare == nil {
        firstUnshare = AuditExample("mm\(mm.rawValue): unshared", mm: mm, page: page, sequence: record.sequence)
      }
    default: break
    }
  }

  private mutating func forked(_ parent: MMID, _ child: MMID, _ record: MMEventRecord) {
    guard copying.remove(child) != nil else { return }
    forksWhilePinned += 1
    if firstFork == nil {
      firstFork = AuditExample(
        "mm\(parent.rawValue) (pid \(record.task.rawValue)) forked mm\(child.rawValue) with a page pinned", mm: parent,
        sequence: record.sequence)
    }
  }

  package func figures(pageShift: UInt8) -> [String: UInt64] {
    [
      "calls": calls, "pins": pins, "pages": UInt64(pages.count), "forks_while_pinned": forksWhilePinned,
      "copied_at_fork": copiedAtFork, "unshares": unshares, "unpin_checks": unpinChecks,
      "still_exclusive_at_unpin": stillExclusive, "remote_writes": remoteWrites,
    ]
  }

  package func examples(pageShift: UInt8) -> [AuditExample] {
    [firstShared, firstFork, firstUnshare].compactMap(\.self)
  }
}
