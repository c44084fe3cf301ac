// SPDX-License-Identifier: GPL-2.0-only

/// Something `explain` can tell about.
package struct CatalogueEntry: Sendable {
  /// The name under which reports and JSON speak of it.
  package let name: String
  /// One line, for `list`.
  package let summary: String
  /// The whole story, in paragraphs.
  package let text: String
  /// Where it comes from: kernel functions, or the approach's letter in the discussion.
  package let source: String?

  package init(name: String, summary: String, text: String, source: String? = nil) {
    self.name = name
    self.summary = summary
    self.text = text
    self.source = source
  }

  /// As `explain` prints it, ending in a newline.
  package var rendered: String {
    var parts = ["\(name): \(summary)", text]
    if let source { parts.append("Source: \(source)") }
    return parts.map { CatalogueEntry.wrapped($0) + "\n" }.joined(separator: "\n")
  }

  private static func wrapped(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { paragraph in
      var lines: [String] = []
      var line = ""
      for word in paragraph.split(separator: " ") {
        if !line.isEmpty, line.count + 1 + word.count > 96 {
          lines.append(line)
          line = ""
        }
        line += (line.isEmpty ? "" : " ") + word
      }
      return (lines + [line]).joined(separator: "\n")
    }.joined(separator: "\n")
  }
}
