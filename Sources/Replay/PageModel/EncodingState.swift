// SPDX-License-Identifier: GPL-2.0-only

/// What an encoding keeps beside the page state that all encodings have (`World.own`).
package protocol EncodingState: Sendable {
  init()
}

/// Nothing: bits of pages, folios and entries are enough.
package struct NoState: EncodingState {
  package init() {}
}
