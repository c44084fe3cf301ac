// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

extension KnownEvent {
  /// What records of it show.
  fileprivate var capability: Capability? {
    switch self {
    case .pageFaultUser: .pageFaults
    case .pageAlloc: .allocations
    case .pageFree: .frees
    case .rssStat: .counters
    case .lruInsertion: .insertions
    case .tlbFlush: .flushes
    case .mapleTreeWrite: .layouts
    case .mmapLockReturned: .locks
    case .setMigrationPTE: .migrationEntries
    case .newTask, .processFork: .forks
    case .exitMmap: .exits
    case .processExec: .programs
    case .signalDeliver: .signals
    case .collapseHugePage: .collapses
    case .ksmMergeOne: .merges
    case .swapWrite: .swapWrites
    case .syscallEnter: .calls
    case .pinEnter, .pinExit, .pinRelease: .pins
    case .pageFaultKernel, .removeMigrationPTE, .setMigrationPMD, .removeMigrationPMD, .processExit, .taskRename,
      .collapseIsolate, .collapseScan, .ksmMergeWith, .marker, .syscallExit:
      nil
    }
  }

  /// What nearly all records are of.
  var isFrequent: Bool {
    switch self {
    case .pageAlloc, .pageFree, .lruInsertion, .rssStat: true
    default: false
    }
  }
}

/// The events of which there was a record, each a bit.
struct SeenEvents {
  private var bits: UInt64 = 0

  @inline(__always)
  mutating func insert(_ event: KnownEvent) { bits |= 1 &<< UInt64(event.rawValue) }

  @inline(__always)
  func contains(_ event: KnownEvent) -> Bool { bits & (1 &<< UInt64(event.rawValue)) != 0 }

  var hasAllFrequent: Bool {
    contains(.pageAlloc) && contains(.pageFree) && contains(.lruInsertion) && contains(.rssStat)
  }

  var capabilities: Capabilities {
    Capabilities(KnownEvent.allCases.filter(contains).compactMap(\.capability))
  }
}

/// What can be concluded from a capture at all: kinds of event that its records contain.
extension Normalizer {
  /// What the records so far contain.
  package var capabilities: Capabilities { seen.capabilities }

  /// What these events would show: `system:name`, as a recorder lists what it enabled.
  package static func capabilities(ofEvents titles: [String]) -> Capabilities {
    let titles = Set(titles)
    var seen = SeenEvents()
    for event in KnownEvent.allCases {
      if let (system, name) = event.tracepoint, titles.contains(system + ":" + name) { seen.insert(event) }
    }
    if titles.contains(where: { $0.hasPrefix("syscalls:sys_enter_") }) { seen.insert(.syscallEnter) }
    if titles.contains("\(KnownProbe.system):\(KnownProbe.putFolio.rawValue)") { seen.insert(.pinRelease) }
    return seen.capabilities
  }
}
