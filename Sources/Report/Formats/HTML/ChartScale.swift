// SPDX-License-Identifier: GPL-2.0-only

/// The vertical axis: from 0 to a round number.
struct ChartScale {
  enum Unit {
    case count, bytes, perSecond
  }

  let unit: Unit
  let top: Double

  /// `greatest`: what has to fit.
  init(_ unit: Unit, upTo greatest: Double) {
    self.unit = unit
    top = unit == .bytes ? Self.powerOfTwo(greatest) : Self.round(greatest)
  }

  /// From the top down.
  var labels: [String] { [top, top / 2, 0].map(label) }

  /// How high on the axis.
  func part(_ value: Double) -> Double { value / top }

  func label(_ value: Double) -> String {
    switch unit {
    case .count: Self.short(value, 1000, ["", "k", "M", "G", "T"])
    case .bytes: Self.short(value, 1024, [" B", " KiB", " MiB", " GiB", " TiB"])
    case .perSecond: Self.short(value, 1000, ["", "k", "M", "G", "T"]) + "/s"
    }
  }

  /// 1, 2 or 5 times a power of ten.
  static func round(_ value: Double) -> Double {
    guard value > 0 else { return 1 }
    var power = 1.0
    while power * 10 <= value { power *= 10 }
    while power > value { power /= 10 }
    return [1.0, 2, 5, 10].map { $0 * power }.first { $0 >= value } ?? 10 * power
  }

  private static func powerOfTwo(_ value: Double) -> Double {
    var power = 64.0
    while power < value { power *= 2 }
    return power
  }

  private static func short(_ value: Double, _ base: Double, _ units: [String]) -> String {
    var (rest, unit) = (value, 0)
    while rest >= base, unit < units.count - 1 {
      rest /= base
      unit += 1
    }
    return decimal(rest) + units[unit]
  }

  /// With up to two decimals.
  static func decimal(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    let (whole, fraction) = (hundredths / 100, hundredths % 100)
    if fraction == 0 { return "\(whole)" }
    if fraction % 10 == 0 { return "\(whole).\(fraction / 10)" }
    return fraction < 10 ? "\(whole).0\(fraction)" : "\(whole).\(fraction)"
  }
}

/// The time axis, from the first event on: the same for all pictures of a page.
struct TimeAxis {
  struct Tick {
    /// 0 to 1.
    var position: Double
    var label: String
  }

  /// In ns.
  let span: Double

  func position(_ nanoseconds: Double) -> Double { min(1, nanoseconds / span) }

  /// `1.2 s`.
  func label(_ nanoseconds: Double) -> String { "\(ChartScale.decimal(nanoseconds / unit.scale)) \(unit.name)" }

  var ticks: [Tick] {
    let step = ChartScale.round(span / 5)
    return (0...5).map { Double($0) * step }.filter { $0 <= span }.map { Tick(position: $0 / span, label: label($0)) }
  }

  private var unit: (scale: Double, name: String) {
    span >= 1_000_000_000 ? (1_000_000_000, "s") : span >= 1_000_000 ? (1_000_000, "ms") : (1000, "us")
  }
}
