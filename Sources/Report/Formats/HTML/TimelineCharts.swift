// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// The pictures of a result, or of two that are compared.
struct TimelineCharts {
  fileprivate struct Subject {
    let name: String
    let result: ReplayResult
    let timeline: Timeline
  }

  private let subjects: [Subject]
  private let axis: TimeAxis

  /// `nil` where a result has no timeline.
  init?(_ results: [ReplayResult]) {
    subjects = results.compactMap { result in
      result.timeline.map { Subject(name: result.capture.name, result: result, timeline: $0) }
    }
    guard subjects.count == results.count, !subjects.isEmpty else { return nil }
    axis = TimeAxis(span: subjects.map { Double($0.timeline.interval) * Double($0.timeline.points) }.max() ?? 1)
  }

  func render() -> String {
    "<div class=\"charts\">\n" + all.map { $0.render() }.joined(separator: "\n") + "\n</div>"
  }

  private var all: [Chart] {
    let seesFaults = subjects.allSatisfy { $0.result.capture.capabilities.contains(.pageFaults) }
    return (seesFaults ? [pages, copies] : []) + [divergences, bitmaps, tables].compactMap(\.self) + [collapses]
  }

  // — the pictures

  private var pages: Chart {
    let kinds: [(Timeline.Gauge, String, Int)] = [
      (.exclusivePages, "exclusive", 1), (.sharedPages, "shared", 2), (.swappedPages, "swapped", 4),
      (.unknownPages, "unknown", 6),
    ]
    let total = subjects.map { subject in
      (0..<subject.timeline.points).map { index in kinds.reduce(0) { $0 + subject.gauge($1.0)[index] } }
    }
    return chart(
      "pages", "Anonymous pages by today's flag", .count, upTo: total.joined().max() ?? 0, isStacked: true,
      marks: "forks",
      series: { subject in
        kinds.map { Chart.Series(name: $0.1, shape: .area, colour: $0.2, values: subject.gauge($0.0)) }
      }
    ) { subject in
      kinds.map { "\($0.1): \(peak(subject.gauge($0.0), subject))" }.joined(separator: "; ")
        + "; \(Numbers.plural(subject.sum(.forks), "fork"))"
    }
  }

  private var copies: Chart {
    let rates = subjects.flatMap { $0.rate(.copies) + $0.rate(.reuses) }
    return chart(
      "copies", "Copies and reuses a second", .perSecond, upTo: rates.max() ?? 0,
      series: { subject in
        [
          Chart.Series(name: "copies", shape: .line, colour: 2, values: subject.rate(.copies)),
          Chart.Series(name: "reuses", shape: .dashed, colour: 1, values: subject.rate(.reuses)),
        ]
      }
    ) { subject in
      "Write faults: \(Numbers.grouped(subject.sum(.copies))) copied a page, "
        + "\(Numbers.grouped(subject.sum(.reuses))) kept it"
    }
  }

  private var divergences: Chart {
    let sums: [UInt64] = subjects.flatMap(\.judged).flatMap { [$0.definite.reduce(0, +), $0.possible.reduce(0, +)] }
    return chart(
      "divergences", "Divergences per encoding, summed up", .count, upTo: Double(sums.max() ?? 0),
      overlaps: true,
      series: { subject in
        subject.judged.enumerated().flatMap { index, encoding in
          let colour = index % 6 + 1
          let definite = Chart.Series(
            name: "\(encoding.id.rawValue), definite", shape: .line, colour: colour,
            values: subject.total(encoding.definite))
          let possible = Chart.Series(
            name: "\(encoding.id.rawValue), possible", shape: .dashed, colour: colour,
            values: subject.total(encoding.possible))
          return encoding.possible.contains { $0 > 0 } ? [definite, possible] : [definite]
        }
      }
    ) { subject in
      let told = subject.judged.flatMap { encoding in
        [("definite", encoding.definite), ("possible", encoding.possible)].compactMap { certainty, series in
          let sum = series.reduce(0, +)
          return sum > 0 ? "\(encoding.id.rawValue): \(Numbers.grouped(sum)) \(certainty)" : nil
        }
      }
      return told.isEmpty
        ? "No entry came to hold a verdict: all lines lie on the ground"
        : "Entries that came to hold a verdict: " + told.joined(separator: "; ")
    }
  }

  private var bitmaps: Chart? {
    guard subjects.allSatisfy({ $0.timeline.gauges[.bitmapBytes] != nil }) else { return nil }
    return chart(
      "bitmaps", "Bytes of B's bitmaps", .bytes, upTo: subjects.flatMap { $0.gauge(.bitmapBytes) }.max() ?? 0,
      series: { [Chart.Series(name: "bitmaps", shape: .area, colour: 3, values: $0.gauge(.bitmapBytes))] }
    ) { subject in peak(subject.gauge(.bitmapBytes), subject) }
  }

  private var tables: Chart? {
    guard subjects.allSatisfy({ $0.timeline.gauges[.pageTables] != nil }) else { return nil }
    return chart(
      "page-tables", "Page tables, and empty ones", .count,
      upTo: subjects.flatMap { $0.gauge(.pageTables) }.max() ?? 0,
      series: { subject in
        [
          Chart.Series(name: "page tables", shape: .area, colour: 1, values: subject.gauge(.pageTables)),
          Chart.Series(name: "empty", shape: .area, colour: 2, values: subject.gauge(.emptyTables)),
        ]
      }
    ) { subject in
      "page tables: \(peak(subject.gauge(.pageTables), subject)); empty: \(peak(subject.gauge(.emptyTables), subject))"
    }
  }

  private var collapses: Chart {
    chart(
      "collapses", "Collapses a second, and losses", .perSecond,
      upTo: subjects.flatMap { $0.rate(.collapses) }.max() ?? 0,
      series: { [Chart.Series(name: "collapses", shape: .line, colour: 4, values: $0.rate(.collapses))] }
    ) { subject in
      let stretches = subject.lossy.count { $0 }
      let lost =
        stretches == 0
        ? "no record was lost" : "records were lost in \(stretches) of \(subject.timeline.points) stretches"
      return "\(Numbers.plural(subject.sum(.collapses), "collapse")) to a huge page; \(lost)"
    }
  }

  // — pieces

  private func chart(
    _ id: String, _ title: String, _ unit: ChartScale.Unit, upTo greatest: Double, isStacked: Bool = false,
    overlaps: Bool = false, marks: String? = nil, series: (Subject) -> [Chart.Series], sentence: (Subject) -> String
  ) -> Chart {
    let panels = subjects.map { subject in
      Chart.Panel(
        name: subject.name, ends: subject.ends(on: axis), series: series(subject),
        marked: marks == nil ? [] : subject.counts(.forks).map { $0 > 0 }, lossy: subject.lossy)
    }
    let sentences = subjects.map { subject in
      (subjects.count > 1 ? "\(subject.name): " : "") + sentence(subject) + "."
    }
    return Chart(
      id: id, title: title, sentence: sentences.joined(separator: " "), panels: panels, isStacked: isStacked,
      overlaps: overlaps, scale: ChartScale(unit, upTo: greatest), marks: marks, ticks: axis.ticks)
  }

  private func peak(_ values: [Double], _ subject: Subject) -> String {
    guard let greatest = values.max(), greatest > 0, let index = values.firstIndex(of: greatest) else { return "none" }
    let time = axis.label(Double(index + 1) * Double(subject.timeline.interval))
    let end = Numbers.grouped(UInt64(values.last ?? 0))
    return "at most \(Numbers.grouped(UInt64(greatest))) (after \(time)), \(end) at the end"
  }
}

extension TimelineCharts.Subject {
  fileprivate typealias Judged = (id: EncodingID, definite: [UInt64], possible: [UInt64])

  fileprivate func ends(on axis: TimeAxis) -> [Double] {
    (1...timeline.points).map { axis.position(Double($0) * Double(timeline.interval)) }
  }

  fileprivate func gauge(_ gauge: Timeline.Gauge) -> [Double] {
    timeline.gauges[gauge].map { series in series.map { Double($0) } } ?? [Double](repeating: 0, count: timeline.points)
  }

  fileprivate func counts(_ count: Timeline.Count) -> [UInt64] {
    timeline.counts[count] ?? [UInt64](repeating: 0, count: timeline.points)
  }

  fileprivate func sum(_ count: Timeline.Count) -> UInt64 { counts(count).reduce(0, &+) }

  fileprivate func rate(_ count: Timeline.Count) -> [Double] {
    counts(count).map { Double($0) * 1_000_000_000 / Double(timeline.interval) }
  }

  fileprivate func total(_ series: [UInt64]) -> [Double] {
    var sum = 0.0
    return series.map { value in
      sum += Double(value)
      return sum
    }
  }

  /// The encodings that the report is about, but for today's.
  fileprivate var judged: [Judged] {
    result.subjects.compactMap { subject in
      timeline.divergences[subject.id].map { (subject.id, $0.definite, $0.possible) }
    }
  }

  /// Stretches in which a CPU's records ended or came again, or were missing all the time.
  fileprivate var lossy: [Bool] {
    let (losses, missing) = (counts(.losses), gauge(.missingCPUs))
    return losses.indices.map { losses[$0] > 0 || missing[$0] > 0 }
  }
}
