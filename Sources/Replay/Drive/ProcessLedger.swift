// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// An account for every address space in view, and for those of the others that copied most.
struct ProcessLedger: Sendable {
  /// Where in `entries` an address space in view is.
  private var places: [MMID: Int] = [:]
  private var entries = ContiguousArray<Entry?>()
  private var free: [Int] = []
  private var closed: [ProcessAccount] = []
  /// Whose write fault was last: many in a row are of one address space.
  private var last: (mm: MMID, place: Int)?
  fileprivate struct Entry: Sendable {
    var account: ProcessAccount
    /// Who made it by fork: what that one does there is not the child's doing.
    var maker: TaskID?
  }

  /// What became of the page that a write fault met.
  enum Answer { case copied, reused }

  @inline(__always)
  mutating func wrote(_ mm: MMID, _ answer: Answer?, _ record: MMEventRecord) {
    if last?.mm != mm { last = places[mm].map { (mm, $0) } }
    guard let place = last?.place else { return }
    switch answer {
    case .copied: entries[place]?.account.copies += 1
    case .reused: entries[place]?.account.reuses += 1
    case nil: break
    }
    entries[place]?.note(record)
  }

  @inline(never)
  mutating func lived(_ operation: Operation, _ record: MMEventRecord) {
    switch operation {
    case .createMM(let mm, _): make(mm, parent: nil, record)
    case .forkBegin(let parent, let child): make(child, parent: parent, record)
    case .forkEnd(let parent, _): places[parent].map { entries[$0]?.account.forks += 1 }
    case .forkAbort(_, let child): _ = remove(child)
    case .exitBegin(let mm): places[mm].map { entries[$0]?.note(record) }
    case .exitEnd(let mm): close(mm, record)
    default: break
    }
  }

  private mutating func make(_ mm: MMID, parent: MMID?, _ record: MMEventRecord) {
    let account = ProcessAccount(
      mm: mm, task: parent == nil ? record.task : nil, parent: parent, first: record.sequence, last: Sequence(.max))
    let entry = Entry(account: account, maker: parent == nil ? nil : record.task)
    if let place = places[mm] ?? free.popLast() {
      entries[place] = entry
      places[mm] = place
    } else {
      places[mm] = entries.count
      entries.append(entry)
    }
  }

  private mutating func remove(_ mm: MMID) -> Entry? {
    if last?.mm == mm { last = nil }
    guard let place = places.removeValue(forKey: mm) else { return nil }
    free.append(place)
    return entries[place].take()
  }

  private mutating func close(_ mm: MMID, _ record: MMEventRecord) {
    guard var entry = remove(mm) else { return }
    entry.note(record)
    entry.account.last = record.sequence
    closed.append(entry.account)
    guard closed.count >= 4 * ProcessAccount.mostTold else { return }
    closed = Array(closed.sorted(by: ProcessAccount.isTold).prefix(ProcessAccount.mostTold))
  }

  /// Those that copied most first.
  var told: [ProcessAccount] {
    let open = entries.compactMap { $0?.account }
    return Array((closed + open).sorted(by: ProcessAccount.isTold).prefix(ProcessAccount.mostTold))
  }
}

extension ProcessLedger.Entry {
  fileprivate mutating func note(_ record: MMEventRecord) {
    if account.task == nil, record.mm == account.mm, record.task != maker { account.task = record.task }
  }
}
