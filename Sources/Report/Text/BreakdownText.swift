// SPDX-License-Identifier: GPL-2.0-only

extension Breakdown {
  /// As text, ending in a newline.
  package func text(_ style: Style) -> String {
    let title = "BY \(kind.rawValue.uppercased())"
    guard !rows.isEmpty else { return style.printed(["", style.bold(title) + ": nothing to tell"]) }
    var table = TextTable()
    table.add([""] + columns, paint: style.dim)
    for row in rows { table.add([row.name] + row.cells.map(\.text)) }
    return style.printed(["", style.bold(title)] + table.lines(indentedBy: 2))
  }
}
