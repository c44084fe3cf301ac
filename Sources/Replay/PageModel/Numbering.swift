// SPDX-License-Identifier: GPL-2.0-only

/// Gives out the numbers of things that come and go: folios, page tables, swap slots.
///
/// Worlds of different encodings mostly do the same. What they all make in one operation has the same number in all
/// of them, so that equal state is equal bit for bit and can be stored once: the baseline's world goes first
/// (`taken`), and a world that follows it takes the same numbers where it can. What an encoding makes beyond that gets
/// numbers in leaves that the baseline never uses.
struct Numbering: Sendable {
  private var next: UInt32
  private var free = ContiguousArray<UInt32>()
  /// What was given out in the current operation.
  private(set) var taken = ContiguousArray<UInt32>()
  private var offered = ContiguousArray<UInt32>()
  private var position = 0
  private(set) var isFollower = false
  private(set) var liveCount = 0

  init() { next = 0 }

  mutating func becomeFollower() {
    precondition(liveCount == 0, "following comes first")
    isFollower = true
    next = 7 &<< 9
  }

  @inline(__always)
  mutating func beginOperation() { taken.empty() }

  @inline(__always)
  mutating func beginOperation(after leader: borrowing Numbering) {
    if !leader.taken.isEmpty || !offered.isEmpty { offer(leader.taken) }
  }

  /// The same numbers first.
  @inline(never)
  private mutating func offer(_ taken: ContiguousArray<UInt32>) {
    offered.empty()
    if taken.count == 1 { offered.append(taken[0]) } else { offered.append(contentsOf: taken) }
    position = 0
  }

  /// `isFree`: asked of a number that the leader took.
  mutating func take(_ isFree: (UInt32) -> Bool) -> UInt32 {
    liveCount += 1
    guard isFollower else {
      let number = free.popLast() ?? takeNext()
      taken.append(number)
      return number
    }
    while position < offered.count {
      let number = offered[position]
      position += 1
      if isFree(number) { return number }
    }
    return free.popLast() ?? takeNext()
  }

  mutating func giveBack(_ number: UInt32) {
    liveCount -= 1
    if !isFollower || Self.isFollowers(number) { free.append(number) }
  }

  /// Every eighth leaf is for what only a follower makes.
  private static func isFollowers(_ number: UInt32) -> Bool { number &>> 9 & 7 == 7 }

  private mutating func takeNext() -> UInt32 {
    if Self.isFollowers(next) != isFollower { next &+= isFollower ? 7 &<< 9 : 1 &<< 9 }
    defer { next &+= 1 }
    return next
  }
}
