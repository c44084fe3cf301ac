// SPDX-License-Identifier: GPL-2.0-only

/// A map from numbers of the kernel's (addresses, hashes, ids) to small numbers of ours, made for look-up once per
/// record: open addressing with linear probing, one multiplication as the hash, no allocation but to grow.
///
/// The numbers come from a trace, not from an adversary who would choose them to collide.
struct NumberTable {
  /// Marks an empty place; it is no value.
  private static let none = UInt32.max

  private var keys: [UInt64]
  private var values: [UInt32]
  private var shift: UInt64
  private(set) var count = 0

  init() {
    keys = Array(repeating: 0, count: 16)
    values = Array(repeating: Self.none, count: 16)
    shift = 60
  }

  subscript(key: UInt64) -> UInt32? {
    @inline(__always) get {
      var index = home(key)
      while values[index] != Self.none {
        if keys[index] == key { return values[index] }
        index = next(index)
      }
      return nil
    }
    set {
      if let newValue { insert(key, newValue) } else { remove(key) }
    }
  }

  @inline(__always)
  private func home(_ key: UInt64) -> Int { Int((key &* 0x9e37_79b9_7f4a_7c15) &>> shift) }

  @inline(__always)
  private func next(_ index: Int) -> Int { (index &+ 1) & (values.count &- 1) }

  private mutating func insert(_ key: UInt64, _ value: UInt32) {
    precondition(value != Self.none, "a number that marks empty places")
    var index = home(key)
    while values[index] != Self.none {
      if keys[index] == key {
        values[index] = value
        return
      }
      index = next(index)
    }
    keys[index] = key
    values[index] = value
    count += 1
    if count * 2 > values.count { grow() }
  }

  /// Moves the entries behind the gap up, so that every entry can still be reached from its home.
  private mutating func remove(_ key: UInt64) {
    var gap = home(key)
    while values[gap] != Self.none, keys[gap] != key { gap = next(gap) }
    guard values[gap] != Self.none else { return }
    count -= 1
    var index = next(gap)
    while values[index] != Self.none {
      let distance = (index &- home(keys[index])) & (values.count &- 1)
      if distance >= (index &- gap) & (values.count &- 1) {
        keys[gap] = keys[index]
        values[gap] = values[index]
        gap = index
      }
      index = next(index)
    }
    values[gap] = Self.none
  }

  private mutating func grow() {
    let (oldKeys, oldValues) = (keys, values)
    keys = Array(repeating: 0, count: oldKeys.count * 2)
    values = Array(repeating: Self.none, count: oldKeys.count * 2)
    shift -= 1
    count = 0
    for (key, value) in zip(oldKeys, oldValues) where value != Self.none { insert(key, value) }
  }
}
