// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Values of a few frames among the many that are asked for: every page that is freed anywhere, to begin with.
///
/// A frame that has no value is told from those that do by a glance at a small table, without hashing.
struct FewFrames<Value> {
  private var values: [PFN: Value] = [:]
  /// By the frame's lowest bits: how many of them have a value.
  private var occupancy = ContiguousArray<UInt32>(repeating: 0, count: Self.classes)
  private static var classes: Int { 4096 }

  init() {}

  private static func place(_ pfn: PFN) -> Int { Int(truncatingIfNeeded: pfn.rawValue) & (classes - 1) }

  var count: Int { values.count }

  subscript(pfn: PFN) -> Value? {
    get { occupancy[Self.place(pfn)] == 0 ? nil : values[pfn] }
    set {
      if let newValue {
        if values.updateValue(newValue, forKey: pfn) == nil { occupancy[Self.place(pfn)] += 1 }
      } else {
        removeValue(pfn)
      }
    }
  }

  /// What the frame had.
  @discardableResult
  mutating func removeValue(_ pfn: PFN) -> Value? {
    guard occupancy[Self.place(pfn)] != 0, let old = values.removeValue(forKey: pfn) else { return nil }
    occupancy[Self.place(pfn)] -= 1
    return old
  }

  mutating func removeAll(where isGone: (Value) -> Bool) {
    for (pfn, value) in values where isGone(value) { removeValue(pfn) }
  }
}
