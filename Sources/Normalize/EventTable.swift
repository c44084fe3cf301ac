// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import TraceFile

/// The formats of one capture compiled for the normalizer: what an event id means, and where its fields lie.
struct EventTable {
  /// By `common_type`; `nil` for events that mean nothing here.
  private let events: [KnownEvent?]
  /// By `common_type` too: which call the event is the entry or the exit of.
  private let calls: [KnownSyscall?]
  let layouts: EventLayouts
  let gfp: GFPBits
  let members: RSSMembers
  /// Whether a folio still waiting in a CPU's LRU-add batch can be told from one on the list.
  let showsLRUInsertion: Bool
  /// Whether a task is seen to take an mmap lock.
  let showsLocks: Bool
  let showsFlushes: Bool
  /// Whether probes show every pin.
  let showsPins: Bool

  /// Events from whose absence something is concluded, or without which nothing is.
  static let decisive: Set<String> = [
    "page_fault_user", "page_fault_kernel", "mm_page_alloc", "mm_lru_insertion", "tlb_flush",
    "mmap_lock_acquire_returned",
  ]

  /// - Parameter absent: Those of the decisive events that have no record in the capture.
  init(_ formats: EventFormats, absent: Set<String> = []) throws(NormalizeError) {
    var layouts = EventLayouts()
    var events: [KnownEvent?] = []
    var calls: [KnownSyscall?] = []
    func register(_ event: KnownEvent, of call: KnownSyscall? = nil, id: UInt16) {
      while events.count <= Int(id) {
        events.append(nil)
        calls.append(nil)
      }
      events[Int(id)] = event
      calls[Int(id)] = call
    }
    var names = Set<String>()
    for event in KnownEvent.allCases {
      guard let (system, name) = event.tracepoint, let format = try Self.format(formats, name, system) else { continue }
      names.insert(name)
      try layouts.add(event, format)
      register(event, id: format.id)
    }
    for call in KnownSyscall.allCases {
      if let format = try Self.format(formats, "sys_enter_" + call.rawValue, nil) {
        try layouts.addSyscallEnter(call, format)
        register(.syscallEnter, of: call, id: format.id)
      }
      if let format = try Self.format(formats, "sys_exit_" + call.rawValue, nil) {
        try layouts.addSyscallExit(format)
        register(.syscallExit, of: call, id: format.id)
      }
    }
    for probe in KnownProbe.allCases {
      guard let format = try Self.format(formats, probe.rawValue, KnownProbe.system) else { continue }
      names.insert(probe.rawValue)
      layouts.add(probe, format)
      register(probe.event, id: format.id)
    }
    names.subtract(absent)
    guard names.contains("mm_page_alloc") || names.contains("page_fault_user") else {
      throw NormalizeError(reason: "the trace holds neither page faults nor page allocations; nothing can be concluded")
    }
    self.layouts = layouts
    self.events = events
    self.calls = calls
    gfp = GFPBits(try Self.format(formats, "mm_page_alloc", "kmem")?.symbols(of: "gfp_flags"))
    members = RSSMembers(try Self.format(formats, "rss_stat", "kmem")?.symbols(of: "member"))
    showsLRUInsertion = names.contains("mm_lru_insertion")
    showsFlushes = names.contains("tlb_flush")
    // A recorder sets all of them, or none.
    showsPins = names.contains(KnownProbe.putFolio.rawValue)
    showsLocks = names.contains("mmap_lock_acquire_returned")
  }

  @inline(__always)
  func event(of id: UInt16) -> KnownEvent? {
    Int(id) < events.count ? events[Int(id)] : nil
  }

  /// Which call an event is the entry or the exit of.
  func call(of id: UInt16) -> KnownSyscall? {
    Int(id) < calls.count ? calls[Int(id)] : nil
  }

  private static func format(
    _ formats: EventFormats, _ name: String, _ system: String?
  ) throws(NormalizeError) -> EventFormat? {
    do {
      return try formats.format(named: name, system: system)
    } catch {
      throw NormalizeError(reason: error.description)
    }
  }
}

/// Why a capture cannot be normalized at all.
package struct NormalizeError: Error, CustomStringConvertible {
  package var reason: String
  package var description: String { reason }
}

/// The bits of `gfp_flags` on the recording kernel, by name.
struct GFPBits {
  /// All of these: a folio for user memory (`GFP_HIGHUSER` with a compound page).
  private let user: UInt64
  private let zero: UInt64
  /// Those of them that are looked at, with those that must not be there; of a single page, and of a larger folio.
  private let lookedAt: (page: UInt64, folio: UInt64)

  init(_ symbols: SymbolTable?) {
    func bits(_ name: String) -> UInt64 { symbols?.value(of: name) ?? 0 }
    // A file system's own allocations (`GFP_NOFS`) ask for large folios of page cache likewise, but for this bit.
    let user = bits("__GFP_HIGHMEM") | bits("__GFP_HARDWALL") | bits("__GFP_COMP") | bits("__GFP_FS")
    zero = bits("__GFP_ZERO")
    // `do_anonymous_page` and the copy of a fault charge the memcg themselves; a page cache folio to be written
    // (`FGP_WRITE`) is no anonymous one.
    let foreign = bits("__GFP_ACCOUNT") | bits("__GFP_WRITE")
    // Page cache read ahead, when it is a single page (`readahead_gfp_mask`). Huge pages are asked for likewise.
    let readahead = bits("__GFP_NORETRY")
    guard user != 0, zero != 0 else {
      // No flags are these.
      (self.user, lookedAt) = (1, (0, 0))
      return
    }
    self.user = user
    lookedAt = (user | foreign | readahead, user | foreign)
  }

  /// Whether the allocation can be a page of anonymous memory (`vma_alloc_folio`).
  func isUserFolio(_ flags: UInt64, order: UInt64) -> Bool {
    flags & (order > 0 ? lookedAt.folio : lookedAt.page) == user
  }

  func isZeroed(_ flags: UInt64) -> Bool { flags & zero != 0 }
}

/// The numbers of the `rss_stat` members on the recording kernel.
struct RSSMembers {
  /// Four bits for each number: which member it is, or none of ours.
  private let members: UInt64

  init(_ symbols: SymbolTable?) {
    var members = UInt64.max
    // Without the table (ftrace text): the order of `enum` in mm_types_task.h, unchanged since 4.5.
    for (name, member, standard) in [
      ("MM_FILEPAGES", RSSMember.file, 0), ("MM_ANONPAGES", .anonymous, 1), ("MM_SWAPENTS", .swapEntries, 2),
      ("MM_SHMEMPAGES", .shmem, 3),
    ] as [(String, RSSMember, UInt64)] {
      let number = symbols?.value(of: name) ?? standard
      if number < 16 { members = members & ~(15 << (4 * number)) | UInt64(member.rawValue) << (4 * number) }
    }
    self.members = members
  }

  @inline(__always)
  func member(_ number: UInt64) -> RSSMember? {
    number < 16 ? RSSMember(rawValue: UInt8(truncatingIfNeeded: members &>> (4 &* number)) & 15) : nil
  }
}
