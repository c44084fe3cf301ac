// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// What follows from the captures of a merge.
extension MergedResult {
  package var captureCount: Int { parts.count }

  /// Every capture is trusted, and there is one.
  package var isTrusted: Bool { !parts.isEmpty && parts.values.allSatisfy(\.isTrusted) }

  var trustedCount: UInt64 { UInt64(parts.values.count { $0.isTrusted }) }

  var header: MergedLine.Header {
    MergedLine.Header(
      captures: UInt64(parts.count), trusted: trustedCount, hosts: UInt64(Set(parts.keys.map(\.host)).count),
      kernels: counts(\.kernel), tools: counts(\.tool), trust: trust, denominators: denominators(of: { _ in true }),
      trustedDenominators: denominators(of: \.isTrusted), notMerged: notMerged)
  }

  var trust: MergedLine.Trust {
    var reasons: [String: UInt64] = [:]
    for part in parts.values where !part.isTrusted {
      for reason in part.reasons { reasons[reason, default: 0] += 1 }
    }
    return MergedLine.Trust(
      state: isTrusted ? Trust.State.trusted.rawValue : Trust.State.notTrusted.rawValue, reasons: reasons,
      sentence: sentence(reasons))
  }

  private func sentence(_ reasons: [String: UInt64]) -> String {
    let captures = UInt64(parts.count)
    if isTrusted { return "trusted: each of \(Numbers.plural(captures, "capture"))" }
    let why = reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
      "\($0.key) in \(Numbers.grouped($0.value))"
    }
    return "NOT TRUSTED: \(Numbers.grouped(captures - trustedCount)) of \(Numbers.plural(captures, "capture"))"
      + (why.isEmpty ? "" : ": " + why.joined(separator: ", "))
  }

  func denominators(of isMeant: (MergedLine.Part) -> Bool) -> MergedLine.Denominators {
    var total = MergedLine.Denominators()
    for part in parts.values where isMeant(part) { total.add(part.denominators) }
    return total
  }

  private func counts(_ name: (MergedLine.Part) -> String) -> [String: UInt64] {
    parts.values.reduce(into: [:]) { $0[name($1), default: 0] += 1 }
  }

  /// Today's first, then as reports have them; others by name.
  var encodingsInOrder: [MergedLine.Encoding] {
    let order = EncodingID.standard.map(\.rawValue)
    func place(_ id: String) -> (Int, String) { (order.firstIndex(of: id) ?? order.count, id) }
    return encodings.values.sorted { place($0.id) < place($1.id) }
  }

  var gapCounts: GapCounts {
    gaps.reduce(into: GapCounts()) { counts, gap in
      if let known = Gap(name: gap.key) { counts[known] = gap.value }
    }
  }
}
