// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

extension ResultLine {
  /// What copy on write came to in one address space.
  struct Process: Codable {
    var type = "process"
    var mm: UInt32
    var task: Int32?
    var name: String?
    var parent: UInt32?
    var first: UInt64
    /// Absent where it lived to the end.
    var last: UInt64?
    var forks: UInt64
    var copies: UInt64
    var reuses: UInt64

    enum CodingKeys: String, CodingKey {
      case type, mm, name, parent, forks, copies, reuses
      case task = "pid"
      case first = "first_seq"
      case last = "last_seq"
    }

    init(_ account: ProcessAccount) {
      mm = account.mm.rawValue
      task = account.task?.rawValue
      name = account.name
      parent = account.parent?.rawValue
      first = account.first.rawValue
      last = account.last == Sequence(.max) ? nil : account.last.rawValue
      (forks, copies, reuses) = (account.forks, account.copies, account.reuses)
    }

    var account: ProcessAccount {
      var account = ProcessAccount(
        mm: MMID(mm), task: task.map { TaskID($0) }, parent: parent.map { MMID($0) }, first: Sequence(first),
        last: Sequence(last ?? .max))
      account.name = name
      (account.forks, account.copies, account.reuses) = (forks, copies, reuses)
      return account
    }
  }
}
