// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Numbers as the text reports print them.
enum Numbers {
  /// Exact with separators up to six digits, then two decimals and a unit: seven columns fit beside their names.
  static func count(_ value: UInt64) -> String {
    if value < 1_000_000 { return grouped(value) }
    for (unit, name) in [(1_000_000_000_000 as UInt64, "T"), (1_000_000_000, "G"), (1_000_000, "M")]
    where value >= unit {
      return fixed(value, over: unit, decimals: 2) + name
    }
    return grouped(value)
  }

  static func grouped(_ value: UInt64) -> String {
    let digits = String(value)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return text
  }

  /// `12.345678 s`.
  static func seconds(_ nanoseconds: UInt64) -> String { fixed(nanoseconds, over: 1_000_000_000, decimals: 6) + " s" }

  /// `part` of `whole` in percent with one decimal; `-` of nothing.
  static func percent(_ part: UInt64, of whole: UInt64) -> String {
    guard whole > 0 else { return "-" }
    let permille = part.multipliedFullWidth(by: 1000)
    guard permille.high < whole else { return "-" }
    let tenths = whole.dividingFullWidth(permille).quotient
    return "\(tenths / 10).\(tenths % 10)%"
  }

  static func fixed(_ value: UInt64, over unit: UInt64, decimals: Int) -> String {
    var scale: UInt64 = 1
    for _ in 0..<decimals { scale *= 10 }
    let fraction = String(value % unit / (unit / scale))
    return "\(value / unit)." + String(repeating: "0", count: decimals - fraction.count) + fraction
  }

  static func plural(_ count: UInt64, _ one: String, _ many: String? = nil) -> String {
    "\(grouped(count)) \(count == 1 ? one : many ?? one + "s")"
  }
}
