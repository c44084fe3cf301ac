// SPDX-License-Identifier: GPL-2.0-only

/// A page table or, where a PMD entry stands in its place, that entry's slot: 2 MiB of an mm. Given out anew once it was
/// freed.
package struct TableID: Hashable, Sendable, BitwiseCopyable {
  package let rawValue: UInt32

  @inline(__always)
  package init(_ rawValue: UInt32) { self.rawValue = rawValue }

  @inline(__always)
  var index: Int { Int(rawValue) }
}
