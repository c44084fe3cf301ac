// SPDX-License-Identifier: GPL-2.0-only

/// Running text in lines of at most 100 columns, each with the indent.
enum Paragraph {
  static func lines(_ text: String, indent: String = "  ", width: Int = 100) -> [String] {
    var lines: [String] = []
    var line = indent
    for word in text.split(separator: " ") {
      if line.count + 1 + word.count > width, line.count > indent.count {
        lines.append(line)
        line = indent
      }
      line += line.count == indent.count ? String(word) : " " + word
    }
    return lines + [line]
  }
}
