// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Migration entries of pages that more than one entry maps: all of them have to be of type read (I1, I3).
struct MigrationsOfShared {
  private struct Open {
    let task: TaskID
    let mm: MMID
    /// Where fork gave it to whom.
    let page: VirtualPage
    let sequence: Sequence
    var isExclusive: Bool
    var isReported = false
  }

  private(set) var unsafe: UInt64 = 0
  private(set) var examples: [AuditExample] = []
  /// Frames with a migration entry, by one task.
  private var open: [PFN: Open] = [:]
  private static let exampleCount = 3

  mutating func set(
    _ pfn: PFN, _ type: MigrationEntryType, _ record: MMEventRecord, _ world: borrowing World<Baseline>
  ) {
    guard case .migrationSet(let page, _, _, _, _, _) = record.event else { return }
    guard var entry = open[pfn], entry.task == record.task, entry.page == page else {
      let mappers = world.memory.mappers(of: pfn)
      guard mappers.count > 1, let mapper = mappers.first(where: { $0.page == page }) else { return }
      open[pfn] = Open(
        task: record.task, mm: mapper.mm, page: page, sequence: record.sequence, isExclusive: type != .read)
      return
    }
    // The other mapper may be gone from the model by now: it took the first entry's word.
    entry.isExclusive = entry.isExclusive || type != .read
    if entry.isExclusive, !entry.isReported {
      entry.isReported = true
      unsafe += 1
      if examples.count < Self.exampleCount {
        let first = entry.sequence.rawValue
        examples.append(
          AuditExample(
            "frame \(pfn.rawValue) is mapped twice, and one entry says writable or exclusive: set_migration_pte at seq "
              + "\(first) and here", mm: entry.mm, page: page, sequence: record.sequence))
      }
    }
    open[pfn] = entry
  }

  /// The task puts pages back: whatever it sets from here on is of another migration.
  mutating func removed(by task: TaskID) { if !open.isEmpty { open = open.filter { $0.value.task != task } } }
}
