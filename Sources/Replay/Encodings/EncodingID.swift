// SPDX-License-Identifier: GPL-2.0-only

/// The names by which users speak of the encodings.
package enum EncodingID: String, Sendable, CaseIterable, BitwiseCopyable {
  case baseline
  case aAndLazy = "A-and-lazy"
  case aAndEager = "A-and-eager"
  case aOr = "A-or"
  case b = "B"
  case cRaw = "C-raw"
  case cStrict = "C-strict"
}
