// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Which CPU a story speaks of.
package struct CPUNumber: Hashable, Sendable, BitwiseCopyable {
  package let rawValue: Int
  package init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// What a CPU remembers of an entry.
struct CPUTranslation: Sendable {
  var cpu: CPUNumber
  var mm: MMID
  var page: VirtualPage
  var entry: Entry
}
