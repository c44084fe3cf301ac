// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Which address space is meant: mm pointers and mm ids of the trace, with the epochs that recycling makes necessary.
///
/// The kernel hands out the same `struct mm_struct` address, and with it the same hashed `mm_id`, for the next process
/// within milliseconds. An epoch opens in `clone` or `execve` and closes at `exit_mmap`; an `MMID` names one epoch.
struct MMOwnership: ~Copyable {
  struct Space {
    /// `nil` once it has ended.
    var id: MMID?
    var pointer: UInt64?
    /// `rss_stat.mm_id`.
    var hash: UInt64?
    /// Live tasks that use it. Kernel threads and /proc readers may hold it longer.
    var users = 0
    /// Last totals seen of each `RSSMember`, in pages; `unknown` before the first of an attached mm.
    var counts: [4 of Int64]
    var teardownBegan = false
    /// Somebody else was told to have accessed it at an address that the trace does not tell.
    var isAccessed = false
    /// The same of reads alone.
    var isRead = false
    /// Another number whenever `id` or `hash` are others, and never one that was there before.
    var naming: UInt64

    /// No number of pages, and less than any.
    static var unknown: Int64 { .min }
  }

  /// Where the counters of a space are, as long as that is called what it was.
  struct CounterPlace {
    fileprivate var index: Int
    fileprivate var naming: UInt64
    /// All ones where it is not known: the kernel's has 32 bits.
    fileprivate var hash: UInt64

    static var none: CounterPlace { CounterPlace(index: -1, naming: 0, hash: .max) }
  }

  /// Live spaces and vacancies between them; `places` says which is whose.
  private var spaces = FlatArray<Space>()
  private var vacant = FlatArray<UInt32>()
  private var places = NumberTable()
  private var byPointer = NumberTable()
  private var byHash = NumberTable()
  private(set) var created: UInt32 = 0
  private var namings: UInt64 = 0

  mutating func create(pointer: UInt64?, origin: MMOrigin) -> MMID {
    let id = MMID(created)
    created += 1
    let count: Int64 =
      switch origin {
      case .exec, .fork: 0
      case .attached: Space.unknown
      }
    let space = Space(
      id: id, pointer: nil, hash: nil, counts: [4 of Int64](repeating: count), naming: newNaming())
    if let place = vacant.popLast() {
      spaces[Int(place)] = space
      places[UInt64(id.rawValue)] = place
    } else {
      places[UInt64(id.rawValue)] = UInt32(spaces.count)
      spaces.append(space)
    }
    if let pointer { learn(pointer: pointer, of: id) }
    return id
  }

  @inline(__always)
  func pointer(of id: MMID) -> UInt64? { place(of: id).flatMap { spaces[$0].pointer } }
  @inline(__always)
  func hash(of id: MMID) -> UInt64? { place(of: id).flatMap { spaces[$0].hash } }

  @inline(__always)
  func id(pointer: UInt64) -> MMID? { byPointer[pointer].map { MMID($0) } }
  @inline(__always)
  func id(hash: UInt64) -> MMID? { byHash[hash].map { MMID($0) } }

  /// Where what is known of a live space is, until the next one is created or ends.
  @inline(__always)
  private func place(of id: MMID) -> Int? { places[UInt64(id.rawValue)].map { Int($0) } }

  @inline(__always)
  func isLive(_ id: MMID) -> Bool { place(of: id) != nil }

  /// Where the counters of a live space are.
  @inline(__always)
  func counters(of id: MMID) -> CounterPlace? {
    place(of: id).map { place in
      CounterPlace(index: place, naming: spaces[place].naming, hash: spaces[place].hash ?? .max)
    }
  }

  /// Whether the counters there are those that the trace knows by this hash.
  @inline(__always)
  func isCurrent(_ place: CounterPlace, hash: UInt64) -> Bool {
    place.hash == hash && UInt(bitPattern: place.index) < UInt(bitPattern: spaces.count)
      && spaces[place.index].naming == place.naming
  }

  private mutating func newNaming() -> UInt64 {
    namings += 1
    return namings
  }

  private mutating func name(_ place: Int, hash: UInt64?) {
    spaces[place].hash = hash
    spaces[place].naming = newNaming()
  }

  /// The epoch of an address opens; one still open there ended unseen and loses the address.
  mutating func learn(pointer: UInt64, of id: MMID) {
    if let old = self.id(pointer: pointer), old != id, let place = place(of: old) {
      spaces[place].pointer = nil
      // The hash is a function of the address: the old epoch loses both.
      if let hash = spaces[place].hash, self.id(hash: hash) == old { byHash[hash] = nil }
      name(place, hash: nil)
    }
    byPointer[pointer] = id.rawValue
    if let place = place(of: id) { spaces[place].pointer = pointer }
  }

  mutating func learn(hash: UInt64, of id: MMID) {
    let own = place(of: id)
    if let own, spaces[own].hash == hash { return }
    if let old = self.id(hash: hash), old != id, let place = place(of: old) { name(place, hash: nil) }
    byHash[hash] = id.rawValue
    if let own { name(own, hash: hash) }
  }

  /// Notes a new total and returns the last one, which may be `Space.unknown`.
  @inline(__always)
  mutating func count(_ member: RSSMember, at place: CounterPlace, pages: Int64) -> Int64 {
    let index = Int(member.rawValue)
    let old = spaces[place.index].counts[index]
    spaces[place.index].counts[index] = pages
    return old
  }

  /// From one total to the next, `nil` when the first is not known.
  static func change(from old: Int64, to new: Int64) -> Int64? { old == Space.unknown ? nil : new &- old }

  /// The last total seen.
  @inline(__always)
  func count(_ member: RSSMember, of id: MMID) -> Int64? {
    guard let place = place(of: id) else { return nil }
    let count = spaces[place].counts[Int(member.rawValue)]
    return count == Space.unknown ? nil : count
  }

  mutating func addUser(_ id: MMID) {
    if let place = place(of: id) { spaces[place].users += 1 }
  }

  /// One task less; `true` when it was the last and teardown is about to begin.
  mutating func removeUser(_ id: MMID) -> Bool {
    guard let place = place(of: id), spaces[place].users > 0 else { return false }
    spaces[place].users -= 1
    guard spaces[place].users == 0, !spaces[place].teardownBegan else { return false }
    spaces[place].teardownBegan = true
    return true
  }

  /// Teardown has begun, so there are no users left; `false` when that was known.
  mutating func removeAllUsers(_ id: MMID) -> Bool {
    guard let place = place(of: id), !spaces[place].teardownBegan else { return false }
    spaces[place].users = 0
    spaces[place].teardownBegan = true
    return true
  }

  /// Somebody accesses the space at an unknown address; `false` when that was known, or it is gone.
  mutating func noteAccess(_ id: MMID, isRead: Bool) -> Bool {
    guard let place = place(of: id), !spaces[place].isAccessed, !(isRead && spaces[place].isRead) else { return false }
    if isRead { spaces[place].isRead = true } else { spaces[place].isAccessed = true }
    return true
  }

  /// The epoch ends.
  mutating func end(_ id: MMID) {
    guard let place = place(of: id) else { return }
    let (pointer, hash) = (spaces[place].pointer, spaces[place].hash)
    places[UInt64(id.rawValue)] = nil
    spaces[place].id = nil
    spaces[place].naming = newNaming()
    vacant.append(UInt32(place))
    if let pointer, self.id(pointer: pointer) == id { byPointer[pointer] = nil }
    if let hash, self.id(hash: hash) == id { byHash[hash] = nil }
  }
}
