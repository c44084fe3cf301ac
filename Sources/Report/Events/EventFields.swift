// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Where the fields of an event go: text or JSON. Every format names the same fields in the same order.
protocol EventFieldSink {
  mutating func range(_ range: PageRange)
  mutating func page(_ name: String, _ page: VirtualPage)
  mutating func frame(_ pfn: PFN)
  mutating func order(_ order: FolioOrder)
  mutating func mm(_ name: String, _ mm: MMID)
  /// A word of the kernel's: `rw-`, `MADV_FREE`, `write-protect`.
  mutating func word(_ name: String, _ word: String)
  /// `nil` is a number the trace does not give.
  mutating func number(_ name: String, _ value: UInt64?)
  mutating func flag(_ name: String, _ isSet: Bool)
}

extension MMEvent {
  func sendFields(to sink: inout some EventFieldSink) {
    switch self {
    case .mmCreated(let origin): sink.word("origin", EventWords.origin(origin))
    case .mmTeardownBegan, .mmExited, .removalEnded, .directIOEnded: break
    case .mmTeardownProceeded(let remaining, let unmapped, let flushed):
      sink.number("remaining", remaining)
      sink.number("unmapped", unmapped)
      sink.flag("flushed", flushed)
    case .vmaMapped(let range, let backing, let protection):
      sink.range(range)
      sink.word("protection", EventWords.protection(protection))
      sink.word("backing", EventWords.backing(backing))
    case .unmapped(let range), .removalBegan(let range): sink.range(range)
    case .directIOBegan(let range, let write):
      sink.range(range)
      sink.flag("foll_write", write)
    case .pinBegan(let range, let flags):
      sink.range(range)
      sink.flag("foll_write", flags.contains(.write))
      sink.flag("foll_longterm", flags.contains(.longTerm))
      sink.flag("foll_force", flags.contains(.force))
    case .pinEnded(let range): if let range { sink.range(range) } else { sink.flag("lost", true) }
    case .unpinned(let pfn, let count):
      sink.frame(pfn)
      sink.number("pins", UInt64(count))
    case .protected(let range, let protection):
      sink.range(range)
      sink.word("protection", EventWords.protection(protection))
    case .moved(let source, let destination, let keepsSource):
      sink.range(source)
      sink.page("to", destination)
      sink.flag("dontunmap", keepsSource)
    case .advised(let range, let advice):
      sink.range(range)
      sink.word("advice", EventWords.advice(advice))
    case .fault(let page, let access, let outcome):
      sink.page("addr", page)
      sink.word("access", EventWords.access(access))
      outcome.sendFields(to: &sink)
    case .populated(let range, let outcome):
      sink.range(range)
      outcome.sendFields(to: &sink)
    case .argumentPage(let pfn), .swapWritten(let pfn), .ksmMerged(let pfn), .lruInserted(let pfn):
      sink.frame(pfn)
    case .stackPlaced(let end): sink.page("end", end)
    case .forkBegan(let child), .forkEnded(let child), .forkAborted(let child): sink.mm("child", child)
    case .forkCopied(let child, let range):
      sink.mm("child", child)
      sink.range(range)
    case .forkCopiedPinned(let child, let pfn):
      sink.mm("child", child)
      sink.frame(pfn)
    case .forkCounted(let child, let member, let pages):
      sink.mm("child", child)
      sink.word("member", EventWords.member(member))
      sink.number("pages", pages)
    case .ksmMergedWithZero: break
    case .collapseBegan(let pfn, let missing):
      sink.frame(pfn)
      if let missing { sink.number("missing", UInt64(missing)) }
    case .collapseFailed(let order): sink.order(order)
    case .collapsed(let new, let order):
      if let new { sink.frame(new) }
      sink.order(order)
    case .freed(let pfn, let order), .appeared(let pfn, let order):
      sink.frame(pfn)
      sink.order(order)
    case .migrationSet(let page, let pfn, let type, let order, let young, let dirty):
      sink.page("addr", page)
      sink.frame(pfn)
      sink.order(order)
      sink.word("entry", EventWords.migration(type))
      sink.flag("young", young)
      sink.flag("dirty", dirty)
    case .migrationRemoved(let page, let pfn, let order, let writable, let dirty):
      sink.page("addr", page)
      sink.frame(pfn)
      sink.order(order)
      sink.flag("writable", writable)
      sink.flag("dirty", dirty)
    case .scanned(let scan):
      if let frame = scan.frame { sink.frame(frame) }
      sink.number("missing", UInt64(scan.missing))
      sink.number("unmapped", UInt64(scan.unmapped))
      sink.number("referenced", UInt64(scan.referenced))
      sink.word("status", EventWords.scan(scan.status))
      sink.flag("khugepaged", scan.isKhugepaged)
    case .reclaimed(let pages), .swappedOut(let pages): sink.number("pages", pages)
    case .snapshotBegan(let index), .snapshotEnded(let index): sink.number("index", UInt64(index))
    case .underWay(.fault(let page, let access)):
      sink.word("what", "fault")
      sink.page("addr", page)
      sink.word("access", EventWords.access(access))
    case .underWay(.call(let range)):
      sink.word("what", "call")
      sink.range(range)
    case .lossBegan(let cpu): sink.number("lost_cpu", UInt64(cpu.rawValue))
    case .lost(let cpu, let count):
      sink.number("lost_cpu", UInt64(cpu.rawValue))
      sink.number("count", count)
    case .unfollowed(let what, let range):
      sink.word("what", EventWords.unfollowed(what))
      if let range { sink.range(range) }
    }
  }
}

extension FaultOutcome {
  fileprivate func sendFields(to sink: inout some EventFieldSink) {
    sink.word("outcome", EventWords.outcome(self))
    switch self {
    case .quiet, .refused, .raced, .unexplained, .lost: break
    case .anonymous(let pfn, let order, let replaced):
      sink.frame(pfn)
      sink.order(order)
      sink.flag("over_zero_page", replaced)
    case .copied(let pfn, _): sink.frame(pfn)
    case .copiedFromFile(let pfn, let wasMapped):
      sink.frame(pfn)
      sink.flag("was_mapped", wasMapped)
    case .file(let pages): sink.number("pages", UInt64(pages))
    case .swappedIn(let pfn, let copy):
      // Without an allocation the page came from the swap cache: its frame is not in the trace.
      if let pfn { sink.frame(pfn) } else { sink.flag("swapcache", true) }
      sink.flag("copied", copy == .made)
      sink.flag("copy_given_back", copy == .givenBack)
    case .pooled(let replaced, _): sink.flag("replaced", replaced)
    case .surplus(let pfn, _, let replaced):
      sink.frame(pfn)
      sink.flag("replaced", replaced)
    }
  }
}
