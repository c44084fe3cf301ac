// SPDX-License-Identifier: GPL-2.0-only

/// Every state found so far, in the order of discovery, and where it was found from. States are kept whole: two
/// states are never taken for one.
@safe
struct StateTable: ~Copyable {
  private(set) var count = 0
  private let words: Int
  private var capacity = 1 << 10
  private var states: UnsafeMutablePointer<UInt64>
  private var parents: UnsafeMutablePointer<UInt32>
  /// Open addressing; 0 is free, n stands for state n - 1.
  private var table: UnsafeMutablePointer<UInt32>
  private var mask = (1 << 12) - 1

  init(words: Int) {
    self.words = words
    unsafe states = .allocate(capacity: capacity * words)
    unsafe parents = .allocate(capacity: capacity)
    unsafe table = .allocate(capacity: mask + 1)
    unsafe table.initialize(repeating: 0, count: mask + 1)
  }

  deinit {
    unsafe states.deallocate()
    unsafe parents.deallocate()
    unsafe table.deallocate()
  }

  /// Adds the state unless it is known.
  mutating func insert(_ state: UnsafeMutablePointer<UInt64>, parent: Int) {
    var place = unsafe hash(state) & mask
    while true {
      let entry = unsafe table[place]
      if entry == 0 { break }
      if unsafe isEqual(states + Int(entry - 1) * words, state) { return }
      place = (place + 1) & mask
    }
    if count == capacity { growStates() }
    unsafe (states + count * words).update(from: state, count: words)
    unsafe parents[count] = UInt32(truncatingIfNeeded: parent)
    count += 1
    unsafe table[place] = UInt32(truncatingIfNeeded: count)
    if count * 2 > mask { growTable() }
  }

  func copy(_ index: Int, to state: UnsafeMutablePointer<UInt64>) {
    unsafe state.update(from: states + index * words, count: words)
  }

  func state(_ index: Int) -> [UInt64] {
    unsafe Array(UnsafeBufferPointer(start: states + index * words, count: words))
  }

  func parent(_ index: Int) -> Int { Int(unsafe parents[index]) }

  private func hash(_ state: UnsafePointer<UInt64>) -> Int {
    var hash: UInt64 = 0x9e37_79b9_7f4a_7c15
    for index in 0..<words {
      let word = unsafe state[index]
      hash = (hash ^ word) &* 0xff51_afd7_ed55_8ccd
      hash ^= hash >> 32
    }
    return Int(truncatingIfNeeded: hash >> 1)
  }

  private func isEqual(_ a: UnsafePointer<UInt64>, _ b: UnsafePointer<UInt64>) -> Bool {
    for index in 0..<words where unsafe a[index] != b[index] { return false }
    return true
  }

  private mutating func growStates() {
    let larger = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity * 2 * words)
    unsafe larger.update(from: states, count: count * words)
    unsafe states.deallocate()
    unsafe states = larger
    let largerParents = UnsafeMutablePointer<UInt32>.allocate(capacity: capacity * 2)
    unsafe largerParents.update(from: parents, count: count)
    unsafe parents.deallocate()
    unsafe parents = largerParents
    capacity *= 2
  }

  private mutating func growTable() {
    unsafe table.deallocate()
    mask = mask * 2 + 1
    unsafe table = .allocate(capacity: mask + 1)
    unsafe table.initialize(repeating: 0, count: mask + 1)
    for index in 0..<count {
      var place = unsafe hash(states + index * words) & mask
      while unsafe table[place] != 0 { place = (place + 1) & mask }
      unsafe table[place] = UInt32(truncatingIfNeeded: index + 1)
    }
  }
}
