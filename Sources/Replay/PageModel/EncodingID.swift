// SPDX-License-Identifier: GPL-2.0-only

/// The name by which users speak of an encoding.
package struct EncodingID: RawRepresentable, Hashable, Sendable {
  package let rawValue: String

  /// A name for an encoding's own file; it is known to users once the registry has the encoding.
  package init(_ name: String) { rawValue = name }

  package static let baseline = EncodingID("baseline")
  package static let aAndLazy = EncodingID("A-and-lazy")
  package static let aAndEager = EncodingID("A-and-eager")
  package static let aOr = EncodingID("A-or")
  package static let b = EncodingID("B")
  package static let cRaw = EncodingID("C-raw")
  package static let cStrict = EncodingID("C-strict")
}
