// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// A page's history as text, oldest first:
///
///                               today    B
///           4  0.000004    100  W D PAE+ W D +  fault write -> anon pfn=64 order=0
///     >     5  0.000005    100  r D PAE- r D -  fork_copied child=mm2 0x100000-0x108000
struct HistoryText {
  let style: Style
  /// The encoding whose state stands beside today's.
  var encoding: EncodingID?
  /// How many of the last entries are shown; `nil` is all.
  let limit: Int?
  let width: Int

  func lines(_ history: [HistoryEntry]) -> [String] {
    guard !history.isEmpty else { return [] }
    let shown = limit.map { history.suffix($0) } ?? history[...]
    let columns = Columns(shown)
    var lines: [String] = []
    if shown.count < history.count {
      lines.append(style.dim("      ... \(history.count - shown.count) earlier (-v shows all)"))
    }
    if let encoding, shown.contains(where: { $0.encoding != nil }) {
      let heading = "\(padded("today", to: columns.today)) \(encoding.rawValue)"
      lines.append(style.dim(String(repeating: " ", count: columns.beforeToday) + heading))
    }
    return lines + shown.map { cut(line($0, columns)) }
  }

  private struct Columns {
    let sequence: Int
    let time: Int
    let task: Int
    let mm: Int
    let today: Int
    let encoding: Int

    init(_ shown: ArraySlice<HistoryEntry>) {
      sequence = shown.map { String($0.sequence.rawValue).count }.max() ?? 0
      time = shown.map { String($0.time.nanoseconds / 1_000_000_000).count + 10 }.max() ?? 0
      task = shown.map { String($0.task.rawValue).count }.max() ?? 0
      mm = shown.compactMap { $0.mm.map { "mm\($0.rawValue): ".count } }.max() ?? 0
      // The long words for what is not present do not make all lines long.
      today = shown.map(\.today.count).filter { $0 <= 10 }.max() ?? 0
      encoding = shown.map { HistoryText.encoding($0).count }.filter { $0 <= 10 }.max() ?? 0
    }

    var beforeToday: Int { 6 + sequence + 2 + time + 2 + task + 2 + mm }
  }

  private func line(_ entry: HistoryEntry, _ columns: Columns) -> String {
    var line = LineBuffer()
    line.append(entry.isDeciding ? "    > " : "      ")
    line.append(decimal: entry.sequence.rawValue, width: columns.sequence)
    line.append("  ")
    line.append(seconds: entry.time.nanoseconds, width: columns.time)
    line.append("  ")
    line.append(decimal: entry.task.rawValue, width: columns.task)
    line.append("  ")
    line.append(padded(entry.mm.map { "mm\($0.rawValue): " } ?? "", to: columns.mm))
    line.append(padded(entry.today, to: columns.today))
    if entry.encoding != nil { line.append(" " + padded(Self.encoding(entry), to: columns.encoding)) }
    line.append("  ")
    line.append(entry.text)
    return String(decoding: line.bytes, as: UTF8.self)
  }

  /// Words that are today's too are not repeated.
  private static func encoding(_ entry: HistoryEntry) -> String {
    guard let encoding = entry.encoding else { return "" }
    return encoding == entry.today ? "same" : encoding
  }

  private func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: Swift.max(0, width - text.count))
  }

  private func cut(_ text: String) -> String { text.count > width ? text.prefix(width - 3) + "..." : text }
}
