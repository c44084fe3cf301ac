// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Which address space is meant: mm pointers and mm ids of the trace, with the epochs that recycling makes necessary.
///
/// The kernel hands out the same `struct mm_struct` address, and with it the same hashed `mm_id`, for the next process
/// within milliseconds. An epoch opens in `clone` or `execve` and closes at `exit_mmap`; an `MMID` names one epoch.
struct MMOwnership {
  struct Space {
    let id: MMID
    var pointer: UInt64?
    /// `rss_stat.mm_id`.
    var hash: UInt64?
    /// Live tasks that use it. Kernel threads and /proc readers may hold it longer.
    var users = 0
    /// Last totals seen of each `RSSMember`, in pages; `nil` before the first of an attached mm.
    var counts: [4 of Int64?]
    var teardownBegan = false
  }

  private var spaces: [MMID: Space] = [:]
  private var byPointer: [UInt64: MMID] = [:]
  private var byHash: [UInt64: MMID] = [:]
  private(set) var created: UInt32 = 0

  mutating func create(pointer: UInt64?, origin: MMOrigin) -> MMID {
    let id = MMID(created)
    created += 1
    let count: Int64? =
      switch origin {
      case .exec, .fork: 0
      case .attached: nil
      }
    spaces[id] = Space(id: id, pointer: nil, hash: nil, counts: [4 of Int64?](repeating: count))
    if let pointer { learn(pointer: pointer, of: id) }
    return id
  }

  subscript(id: MMID) -> Space? { spaces[id] }

  func id(pointer: UInt64) -> MMID? { byPointer[pointer] }
  func id(hash: UInt64) -> MMID? { byHash[hash] }

  /// The epoch of an address opens; one still open there ended unseen and loses the address.
  mutating func learn(pointer: UInt64, of id: MMID) {
    if let old = byPointer[pointer], old != id {
      spaces[old]?.pointer = nil
      // The hash is a function of the address: the old epoch loses both.
      if let hash = spaces[old]?.hash, byHash[hash] == old { byHash[hash] = nil }
      spaces[old]?.hash = nil
    }
    byPointer[pointer] = id
    spaces[id]?.pointer = pointer
  }

  mutating func learn(hash: UInt64, of id: MMID) {
    guard spaces[id]?.hash != hash else { return }
    if let old = byHash[hash], old != id { spaces[old]?.hash = nil }
    byHash[hash] = id
    spaces[id]?.hash = hash
  }

  /// Notes a new total; the change against the last one, or `nil` when there was none.
  mutating func count(_ member: RSSMember, of id: MMID, pages: Int64) -> Int64? {
    guard let old = spaces[id]?.counts[Int(member.rawValue)] else {
      spaces[id]?.counts[Int(member.rawValue)] = pages
      return nil
    }
    spaces[id]?.counts[Int(member.rawValue)] = pages
    return pages - old
  }

  /// The last total seen.
  func count(_ member: RSSMember, of id: MMID) -> Int64? { spaces[id]?.counts[Int(member.rawValue)] }

  mutating func addUser(_ id: MMID) { spaces[id]?.users += 1 }

  /// One task less; `true` when it was the last and teardown is about to begin.
  mutating func removeUser(_ id: MMID) -> Bool {
    guard let users = spaces[id]?.users, users > 0 else { return false }
    spaces[id]?.users = users - 1
    guard users == 1, spaces[id]?.teardownBegan == false else { return false }
    spaces[id]?.teardownBegan = true
    return true
  }

  /// The epoch ends.
  mutating func end(_ id: MMID) {
    guard let space = spaces.removeValue(forKey: id) else { return }
    if let pointer = space.pointer, byPointer[pointer] == id { byPointer[pointer] = nil }
    if let hash = space.hash, byHash[hash] == id { byHash[hash] = nil }
  }
}
