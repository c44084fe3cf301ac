// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Runs of entries that MADV_FREE gave up and whose write bits differ: what would come of them, were they put back with
/// the first entry's by a reclaim that fails (CVE-2026-31398).
struct MixedRuns {
  private(set) var mixed: UInt64 = 0
  /// Read-only entries of pages that others map, behind a writable one.
  private(set) var unsafe: UInt64 = 0
  /// Writable entries behind a read-only one.
  private(set) var conservativeFault: UInt64 = 0
  private(set) var example: AuditExample?

  mutating func gaveUp(
    _ mm: MMID, _ range: PageRange, _ world: borrowing World<Baseline>, _ record: MMEventRecord
  ) {
    let refs = world.memory.liveRefs(mm, range)
    var position = 0
    while position < refs.count {
      let end = world.batchEnd(refs, from: position) { first, next in
        !first.writableUnknown && !next.writableUnknown
      }
      if end > position + 1 { look(at: refs[position..<end], mm, world, record) }
      position = end
    }
  }

  private mutating func look(
    at run: ArraySlice<EntryRef>, _ mm: MMID, _ world: borrowing World<Baseline>, _ record: MMEventRecord
  ) {
    guard let first = run.first else { return }
    let entry = world.tables.entry(first)
    guard world.memory.isLazyfree(entry.folio) else { return }
    var differs = false
    for ref in run where world.tables.entry(ref).writable != entry.writable {
      differs = true
      if !entry.writable {
        conservativeFault += 1
      } else if world.memory.isTrulyExclusive(ref) == .shared {
        unsafe += 1
      }
    }
    guard differs else { return }
    mixed += 1
    if example == nil {
      example = AuditExample(
        "mm\(mm.rawValue) gave up a run of \(run.count) entries of which not all are writable", mm: mm,
        page: world.memory.owner(first).page, sequence: record.sequence)
    }
  }
}
