// SPDX-License-Identifier: GPL-2.0-only

/// What happened in a capture that makes something observable or not.
package enum Occurrence: String, Sendable, CaseIterable {
  case swapOut = "swap-out"
  case lazyFree = "lazy-free"
}
