// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// An account for every address space in view, and for those of the others that copied most.
struct ProcessLedger: Sendable {
  private var open: [MMID: Entry] = [:]
  private var closed: [ProcessAccount] = []
  fileprivate struct Entry: Sendable {
    var account: ProcessAccount
    /// Who made it by fork: what that one does there is not the child's doing.
    var maker: TaskID?
  }

  mutating func note(_ operation: Operation, _ outcome: Outcome, _ record: MMEventRecord) {
    switch operation {
    case .createMM(let mm, _): make(mm, parent: nil, record)
    case .forkBegin(let parent, let child): make(child, parent: parent, record)
    case .forkEnd(let parent, _): open[parent]?.account.forks += 1
    case .forkAbort(_, let child): open[child] = nil
    case .exitEnd(let mm): close(mm, record)
    case .writeFault(let mm, _, _, _):
      guard let index = open.index(forKey: mm) else { return }
      switch outcome {
      case .reused: open.values[index].account.reuses += 1
      case .copied(from: .some, to: _): open.values[index].account.copies += 1
      default: break
      }
      open.values[index].note(record)
    case .exitBegin(let mm): open[mm]?.note(record)
    default: break
    }
  }

  private mutating func make(_ mm: MMID, parent: MMID?, _ record: MMEventRecord) {
    let account = ProcessAccount(
      mm: mm, task: parent == nil ? record.task : nil, parent: parent, first: record.sequence, last: Sequence(.max))
    open[mm] = Entry(account: account, maker: parent == nil ? nil : record.task)
  }

  private mutating func close(_ mm: MMID, _ record: MMEventRecord) {
    guard var entry = open.removeValue(forKey: mm) else { return }
    entry.note(record)
    entry.account.last = record.sequence
    closed.append(entry.account)
    guard closed.count >= 4 * ProcessAccount.mostTold else { return }
    closed = Array(closed.sorted(by: ProcessAccount.isTold).prefix(ProcessAccount.mostTold))
  }

  /// Those that copied most first.
  var told: [ProcessAccount] {
    Array((closed + open.values.map(\.account)).sorted(by: ProcessAccount.isTold).prefix(ProcessAccount.mostTold))
  }
}

extension ProcessLedger.Entry {
  fileprivate mutating func note(_ record: MMEventRecord) {
    if account.task == nil, record.mm == account.mm, record.task != maker { account.task = record.task }
  }
}
