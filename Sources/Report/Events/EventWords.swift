// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// The words for the vocabulary of events: one table for text and for JSON.
enum EventWords {
  static func origin(_ origin: MMOrigin) -> String {
    switch origin {
    case .exec: "exec"
    case .fork: "fork"
    case .attached: "attached"
    }
  }

  static func backing(_ backing: VMABacking) -> String {
    switch backing {
    case .anonymous: "anon"
    case .privateFile: "private-file"
    case .shared: "shared"
    case .hugetlb: "hugetlb"
    case .hugetlbFile: "hugetlb-file"
    case .gigantic: "gigantic"
    case .loader: "loader"
    case .unknown: "unknown"
    }
  }

  /// As in `/proc/PID/maps`; `???` when the trace did not show it.
  static func protection(_ protection: VMAProtection) -> String {
    switch (protection.contains(.read), protection.contains(.write), protection.contains(.execute)) {
    case _ where protection.contains(.unknown): "???"
    case (false, false, false): "---"
    case (true, false, false): "r--"
    case (true, true, false): "rw-"
    case (true, true, true): "rwx"
    case (true, false, true): "r-x"
    case (false, true, false): "-w-"
    case (false, true, true): "-wx"
    case (false, false, true): "--x"
    }
  }

  static func advice(_ advice: Advice) -> String {
    switch advice {
    case .dontNeed: "MADV_DONTNEED"
    case .free: "MADV_FREE"
    case .remove: "MADV_REMOVE"
    case .dontFork: "MADV_DONTFORK"
    case .doFork: "MADV_DOFORK"
    case .wipeOnFork: "MADV_WIPEONFORK"
    case .keepOnFork: "MADV_KEEPONFORK"
    case .mergeable: "MADV_MERGEABLE"
    case .unmergeable: "MADV_UNMERGEABLE"
    case .hugePage: "MADV_HUGEPAGE"
    case .noHugePage: "MADV_NOHUGEPAGE"
    case .collapse: "MADV_COLLAPSE"
    case .populateRead: "MADV_POPULATE_READ"
    case .populateWrite: "MADV_POPULATE_WRITE"
    case .populate: "populate"
    case .cold: "MADV_COLD"
    case .pageOut: "MADV_PAGEOUT"
    case .willNeed: "MADV_WILLNEED"
    case .guardInstall: "MADV_GUARD_INSTALL"
    case .guardRemove: "MADV_GUARD_REMOVE"
    }
  }

  /// `write-protect` is the fault this tool is about: a write to a present entry.
  static func access(_ access: FaultAccess) -> String {
    let kind =
      switch (access.contains(.write), access.contains(.execute), access.contains(.present)) {
      case (true, _, true): "write-protect"
      case (true, _, false): "write"
      case (false, true, true): "exec-protect"
      case (false, true, false): "exec"
      case (false, false, true): "read-protect"
      case (false, false, false): "read"
      }
    // Whether the entry was present is not told.
    if access.contains(.remote) { return "write,remote" }
    return kind + (access.contains(.kernel) ? ",kernel" : "") + (access.contains(.late) ? ",late" : "")
  }

  static func outcome(_ outcome: FaultOutcome) -> String {
    switch outcome {
    case .quiet: "quiet"
    case .anonymous: "anon"
    case .copied: "cow"
    case .copiedFromFile: "cow-file"
    case .file: "file"
    case .swappedIn: "swap-in"
    case .pooled, .surplus: "pool"
    case .refused: "refused"
    case .raced: "raced"
    case .unexplained: "unexplained"
    case .lost: "lost"
    }
  }

  static func member(_ member: RSSMember) -> String {
    switch member {
    case .file: "MM_FILEPAGES"
    case .anonymous: "MM_ANONPAGES"
    case .swapEntries: "MM_SWAPENTS"
    case .shmem: "MM_SHMEMPAGES"
    }
  }

  static func scan(_ status: CollapseScan.Status) -> String { status.name ?? "failed" }

  static func migration(_ type: MigrationEntryType) -> String {
    switch type {
    case .read: "read"
    case .readExclusive: "read-exclusive"
    case .write: "write"
    }
  }

  static func unfollowed(_ what: Unfollowed) -> String {
    switch what {
    case .hugetlb: "hugetlb"
    case .swap: "swap"
    case .migration: "migration"
    case .ksm: "ksm"
    case .pin: "pin"
    case .userfaultfd: "userfaultfd"
    case .userfaultWriteProtect: "userfaultfd-wp"
    case .remoteAccess: "remote-access"
    case .remoteRead: "remote-read"
    case .collapse: "collapse"
    case .deviceMemory: "device-memory"
    case .placeless: "page at an address not seen"
    }
  }
}
