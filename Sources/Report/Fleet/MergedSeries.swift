// SPDX-License-Identifier: GPL-2.0-only

import Replay

/// How often things happened, over stretches of equal length that begin with each capture: sums of several captures.
///
/// Stretches of captures are of lengths that divide each other, since they double. What is joined has the longest, so no
/// order of joining matters.
struct MergedSeries: Codable, Equatable {
  /// Captures that have it.
  var captures: UInt64
  /// Of one stretch, in ns.
  var interval: UInt64
  /// By name, each of as many stretches as the longest capture has.
  var columns: [String: [UInt64]]

  enum CodingKeys: String, CodingKey {
    case captures, columns
    case interval = "interval_ns"
  }

  /// `nil` where the lengths do not divide each other: then they are none of ours.
  func merged(with other: MergedSeries) -> MergedSeries? {
    let longest = max(interval, other.interval)
    guard let a = widened(to: longest), let b = other.widened(to: longest) else { return nil }
    let columns = a.columns.merging(b.columns) { a, b in
      (0..<max(a.count, b.count)).map { index in
        saturatingSum(index < a.count ? a[index] : 0, index < b.count ? b[index] : 0)
      }
    }
    return MergedSeries(captures: saturatingSum(captures, other.captures), interval: longest, columns: columns)
  }

  private func widened(to longest: UInt64) -> MergedSeries? {
    guard interval > 0, longest.isMultiple(of: interval) else { return nil }
    let ratio = longest / interval
    guard ratio > 1 else { return self }
    var wide = self
    wide.interval = longest
    wide.columns = columns.mapValues { column in
      var sums: [UInt64] = []
      for (index, count) in column.enumerated() {
        let place = Int(clamping: UInt64(index) / ratio)
        if place == sums.count { sums.append(0) }
        sums[place] = saturatingSum(sums[place], count)
      }
      return sums
    }
    return wide
  }
}

extension MergedSeries {
  /// How much was known over time; `nil` where nothing was checked.
  init?(_ coverage: [CoverageSlice]) {
    guard let first = coverage.first, first.end > first.start else { return nil }
    self.init(captures: 1, interval: first.end - first.start, columns: ["checked": [], "known": []])
    for slice in coverage {
      let index = slice.start / interval
      guard index < UInt64(Self.mostSlices) else { return nil }
      let missing = Int(index) + 1 - (columns["checked"]?.count ?? 0)
      for name in ["checked", "known"] { columns[name]?.append(contentsOf: repeatElement(0, count: max(missing, 0))) }
      columns["checked"]?[Int(index)] = slice.checked
      columns["known"]?[Int(index)] = slice.known
    }
  }

  /// What happened over time. Gauges are left out: what there was at the end of a stretch is no part of a sum over
  /// captures of other lengths.
  init(_ timeline: Timeline) {
    self.init(captures: 1, interval: timeline.interval, columns: [:])
    for (count, series) in timeline.counts { columns[count.rawValue] = series }
    for (encoding, series) in timeline.divergences {
      columns["\(encoding.rawValue) definite"] = series.definite
      columns["\(encoding.rawValue) possible"] = series.possible
    }
  }

  private static let mostSlices = 4096
}
