// SPDX-License-Identifier: GPL-2.0-only

extension ContiguousArray where Element: BitwiseCopyable {
  /// `removeAll(keepingCapacity:)` for what mostly has one element: that goes through `replaceSubrange`, some eighty
  /// instructions even then.
  @inline(__always)
  mutating func empty() {
    if count == 1 {
      removeLast()
    } else if !isEmpty {
      removeAll(keepingCapacity: true)
    }
  }
}
