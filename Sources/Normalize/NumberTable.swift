// SPDX-License-Identifier: GPL-2.0-only

/// A map from numbers of the kernel's (addresses, hashes, ids) to small numbers of ours, made for look-up once per
/// record: open addressing with linear probing, one multiplication as the hash, no allocation but to grow.
///
/// The numbers come from a trace, not from an adversary who would choose them to collide.
struct NumberTable: ~Copyable {
  struct Place {
    var key: UInt64 = 0
    /// `NumberTable.none` in an empty place.
    var value = NumberTable.none
  }

  /// Marks an empty place; it is no value.
  private static let none = UInt32.max

  private var places: FlatArray<Place>
  private var shift: UInt64
  private(set) var count = 0

  init() {
    places = FlatArray(minimumCapacity: 16)
    places.append(repeating: Place(), count: 16)
    shift = 60
  }

  subscript(key: UInt64) -> UInt32? {
    @inline(__always) get {
      var index = home(key)
      while places[index].value != Self.none {
        if places[index].key == key { return places[index].value }
        index = next(index)
      }
      return nil
    }
    set {
      if let newValue { insert(key, newValue) } else { remove(key) }
    }
  }

  @inline(__always)
  private func home(_ key: UInt64) -> Int { Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) &>> shift) }

  @inline(__always)
  private func next(_ index: Int) -> Int { (index &+ 1) & (places.count &- 1) }

  private mutating func insert(_ key: UInt64, _ value: UInt32) {
    precondition(value != Self.none, "a number that marks empty places")
    var index = home(key)
    while places[index].value != Self.none {
      if places[index].key == key {
        places[index].value = value
        return
      }
      index = next(index)
    }
    places[index] = Place(key: key, value: value)
    count += 1
    if count * 2 > places.count { grow() }
  }

  /// Moves the entries behind the gap up, so that every entry can still be reached from its home.
  private mutating func remove(_ key: UInt64) {
    var gap = home(key)
    while places[gap].value != Self.none, places[gap].key != key { gap = next(gap) }
    guard places[gap].value != Self.none else { return }
    count -= 1
    var index = next(gap)
    while places[index].value != Self.none {
      let distance = (index &- home(places[index].key)) & (places.count &- 1)
      if distance >= (index &- gap) & (places.count &- 1) {
        places[gap] = places[index]
        gap = index
      }
      index = next(index)
    }
    places[gap].value = Self.none
  }

  private mutating func grow() {
    var old = FlatArray<Place>(minimumCapacity: places.count * 2)
    old.append(repeating: Place(), count: places.count * 2)
    swap(&old, &places)
    shift -= 1
    count = 0
    for index in old.indices where old[index].value != Self.none { insert(old[index].key, old[index].value) }
  }
}
