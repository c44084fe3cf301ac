// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

extension ResultLine {
  /// What the replay came to over time.
  struct Timeline: Codable {
    var type = "timeline"
    var start: UInt64
    var interval: UInt64
    var points: Int
    var gauges: [String: [UInt64]]
    var counts: [String: [UInt64]]
    var divergences: [String: Divergences]

    struct Divergences: Codable {
      var definite: [UInt64]
      var possible: [UInt64]
    }

    enum CodingKeys: String, CodingKey {
      case type, points, gauges, counts, divergences
      case start = "start_ns"
      case interval = "interval_ns"
    }

    init(_ timeline: Replay.Timeline) {
      start = timeline.start.nanoseconds
      interval = timeline.interval
      points = timeline.points
      gauges = Dictionary(uniqueKeysWithValues: timeline.gauges.map { ($0.key.rawValue, $0.value) })
      counts = Dictionary(uniqueKeysWithValues: timeline.counts.map { ($0.key.rawValue, $0.value) })
      divergences = Dictionary(
        uniqueKeysWithValues: timeline.divergences.map {
          ($0.key.rawValue, Divergences(definite: $0.value.definite, possible: $0.value.possible))
        })
    }

    /// `nil` where it is none: too many stretches, of no length, or a series of another length. Names of a newer writer
    /// are passed over.
    var timeline: Replay.Timeline? {
      let all = Array(gauges.values) + Array(counts.values) + divergences.values.flatMap { [$0.definite, $0.possible] }
      guard (1...Replay.Timeline.mostPoints).contains(points), interval > 0, interval < 1 << 54,
        all.allSatisfy({ $0.count == points })
      else { return nil }
      var timeline = Replay.Timeline(start: Timestamp(nanoseconds: start), interval: interval, points: points)
      for (name, series) in gauges { Replay.Timeline.Gauge(rawValue: name).map { timeline.gauges[$0] = series } }
      for (name, series) in counts { Replay.Timeline.Count(rawValue: name).map { timeline.counts[$0] = series } }
      for (name, series) in divergences {
        guard let encoding = EncodingID(rawValue: name) else { continue }
        timeline.divergences[encoding] = Replay.Timeline.Divergences(
          definite: series.definite, possible: series.possible)
      }
      return timeline
    }
  }
}
