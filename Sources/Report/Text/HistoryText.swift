// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// A page's history as text, oldest first.
struct HistoryText {
  let style: Style
  /// How many of the last entries are shown; `nil` is all.
  let limit: Int?
  let width: Int

  func lines(_ history: [HistoryEntry]) -> [String] {
    guard !history.isEmpty else { return [] }
    let shown = limit.map { history.suffix($0) } ?? history[...]
    var lines: [String] = []
    if shown.count < history.count {
      lines.append(style.dim("      ... \(history.count - shown.count) earlier (-v shows all)"))
    }
    let sequenceWidth = shown.map { String($0.sequence.rawValue).count }.max() ?? 0
    let taskWidth = shown.map { String($0.task.rawValue).count }.max() ?? 0
    for entry in shown {
      var line = LineBuffer()
      line.append("      ")
      line.append(decimal: entry.sequence.rawValue, width: sequenceWidth)
      line.append("  ")
      line.append(seconds: entry.time.nanoseconds)
      line.append("  ")
      line.append(decimal: entry.task.rawValue, width: taskWidth)
      line.append("  ")
      line.append(entry.text)
      let text = String(decoding: line.bytes, as: UTF8.self)
      lines.append(text.count > width ? text.prefix(width - 3) + "..." : text)
    }
    return lines
  }
}
