// SPDX-License-Identifier: GPL-2.0-only

/// A table of right-aligned columns after a left-aligned first one. Cells are measured without their colours.
struct TextTable {
  struct Cell {
    var text: String
    /// Applied after padding, so that escape codes do not count as width.
    var paint: (String) -> String = { $0 }
  }

  private var rows: [[Cell]] = []

  mutating func add(_ cells: [Cell]) { rows.append(cells) }

  mutating func add(_ texts: [String], paint: @escaping (String) -> String = { $0 }) {
    rows.append(texts.map { Cell(text: $0, paint: paint) })
  }

  /// Columns get the width they need, two spaces apart.
  func lines(indentedBy indent: Int) -> [String] {
    var widths: [Int] = []
    for row in rows {
      for (column, cell) in row.enumerated() {
        if column < widths.count {
          widths[column] = Swift.max(widths[column], cell.text.count)
        } else {
          widths.append(cell.text.count)
        }
      }
    }
    return rows.map { row in
      var line = String(repeating: " ", count: indent)
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.text.count)
        if column == 0 {
          line += cell.paint(cell.text + (row.count > 1 ? padding : ""))
        } else {
          line += "  " + cell.paint(padding + cell.text)
        }
      }
      return line
    }
  }
}
