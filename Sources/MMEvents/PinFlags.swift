// SPDX-License-Identifier: GPL-2.0-only

/// What a pin is for.
public struct PinFlags: OptionSet, Sendable, BitwiseCopyable {
  public let rawValue: UInt8

  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// `FOLL_WRITE`
  public static let write = PinFlags(rawValue: 1)
  /// `FOLL_LONGTERM`
  public static let longTerm = PinFlags(rawValue: 2)
  /// `FOLL_FORCE`
  public static let force = PinFlags(rawValue: 4)
}

/// `FOLL_...`: given numbers anew in 6.3, when those that only mm uses went to `mm/internal.h`.
public struct GUPFlagNumbers: Sendable, Equatable {
  /// `FOLL_PIN`: in `gup_put_folio` it tells a pin from a plain reference.
  public let pin: UInt64
  let longTerm: UInt64
  let force: UInt64

  public static let before6_3 = GUPFlagNumbers(pin: 0x4_0000, longTerm: 0x1_0000, force: 0x10)
  public static let since6_3 = GUPFlagNumbers(pin: 0x8_0000, longTerm: 0x100, force: 0x8)

  /// What a caller of `pin_user_pages` asked for; `FOLL_WRITE` has always been 1.
  public func pinFlags(_ flags: UInt64) -> PinFlags {
    var found: PinFlags = []
    if flags & 1 != 0 { found.insert(.write) }
    if flags & longTerm != 0 { found.insert(.longTerm) }
    if flags & force != 0 { found.insert(.force) }
    return found
  }
}
