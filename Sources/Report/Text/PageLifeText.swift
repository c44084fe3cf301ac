// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// The life of a page as text: a line for what happened, with the page's entry in today's kernel after it; below it,
/// where that changed, the encodings whose entry is another, and who else maps the page.
///
///     961  0.000003    4711  mm1  W D PAE+  fault addr=0x7f0000 write -> anon pfn=512 order=0
///                                 B: r D -
package struct PageLifeText {
  private let style: Style
  private let text: EventText
  private let pageShift: UInt8
  /// What was said below the last line of a place.
  private var notes: [PageLife.Place: [String]] = [:]

  package init(style: Style, pageShift: UInt8) {
    (self.style, self.pageShift) = (style, pageShift)
    text = EventText(pageShift: pageShift)
  }

  package mutating func lines(_ told: PageLife.Line) -> String {
    let record = told.record
    var line = LineBuffer()
    line.append(decimal: record.sequence.rawValue, width: 9)
    line.append("  ")
    line.append(seconds: record.time.nanoseconds, width: 16)
    line.append("  ")
    line.append(decimal: record.task.rawValue, width: 7)
    line.append("  mm\(told.place.mm.rawValue)  ")
    let indent = line.bytes.count
    line.append(told.standing.today.text(claimedBy: "PAE"))
    line.append("  ")
    if let mm = record.mm, mm != told.place.mm { line.append("in mm\(mm.rawValue): ") }
    text.appendPhrase(record.event, to: &line)
    let notes = notes(told.place, told.standing)
    let isNew = notes != self.notes[told.place] ?? []
    self.notes[told.place] = notes
    let below = isNew ? (notes.isEmpty ? ["all encodings say the same, nobody else maps it"] : notes) : []
    return style.printed(
      [String(decoding: line.bytes, as: UTF8.self)]
        + below.map { style.dim(String(repeating: " ", count: indent) + $0) })
  }

  /// How it stands in the end; ends in a newline.
  package func end(_ ends: [(place: PageLife.Place, standing: PageLife.Standing)]) -> String {
    guard !ends.isEmpty else { return style.printed(["", style.bold("AT THE END") + ": the page is mapped nowhere"]) }
    var table = TextTable()
    let ids = ends.first?.standing.encodings.map(\.id.rawValue) ?? []
    table.add(["mm", "addr", "pfn", "today"] + ids, paint: style.dim)
    for (place, standing) in ends.sorted(by: { $0.place < $1.place }) {
      table.add(
        [
          "mm\(place.mm.rawValue)", place.page.address(pageShift: pageShift),
          standing.frame.map { "\($0.rawValue)" } ?? "?", standing.today.text(claimedBy: "PAE"),
        ] + standing.encodings.map { $0.entry.text(claimedBy: "") })
    }
    return style.printed(["", style.bold("AT THE END")] + table.lines(indentedBy: 2))
  }

  private func notes(_ place: PageLife.Place, _ standing: PageLife.Standing) -> [String] {
    let others = standing.encodings.filter { $0.entry != standing.today }.map { id, entry in
      "\(id.rawValue): \(entry.text(claimedBy: ""))"
    }
    let mappers = standing.mappers.filter { $0 != place }.map { mapper in
      mapper.page == place.page
        ? "mm\(mapper.mm.rawValue)" : "mm\(mapper.mm.rawValue) at \(mapper.page.address(pageShift: pageShift))"
    }
    let shown = mappers.prefix(8).joined(separator: ", ")
    let more = mappers.count > 8 ? " and \(mappers.count - 8) more" : ""
    return others + (mappers.isEmpty ? [] : ["mapped by \(shown)\(more), too"])
  }
}
