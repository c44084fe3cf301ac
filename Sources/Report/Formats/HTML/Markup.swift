// SPDX-License-Identifier: GPL-2.0-only

/// Pieces of HTML.
enum Markup {
  /// Names and histories come from a trace: nothing in them may become markup.
  static func escaped(_ text: String) -> String {
    var escaped = ""
    // Scalar by scalar: with a combining mark behind it a quote is another character to Swift, and to browsers the same.
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  /// `head` and `caption` are text, `rows` are markup. What is too wide for the screen scrolls, by keyboard too.
  static func table(_ caption: String, css: String = "", head: [String] = [], rows: [String]) -> String {
    let cells = head.map { $0.isEmpty ? "<td></td>" : "<th scope=\"col\">\(escaped($0))</th>" }
    let thead = head.isEmpty ? "" : "\n<thead><tr>\(cells.joined())</tr></thead>"
    return """
      <div class="scroll" tabindex="0" role="region" aria-label="\(escaped(caption))">
      <table\(css.isEmpty ? "" : " class=\"\(css)\"")>
      <caption>\(escaped(caption))</caption>\(thead)
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody></table></div>
      """
  }

  /// `cells` are `td` elements.
  static func row(_ name: String, title: String = "", _ cells: [String]) -> String {
    let hint = title.isEmpty ? "" : " title=\"\(escaped(title))\""
    return "<tr><th scope=\"row\"\(hint)>\(escaped(name))</th>\(cells.joined())</tr>"
  }

  static func cell(_ text: String, _ css: String = "") -> String {
    css.isEmpty ? "<td>\(escaped(text))</td>" : "<td class=\"\(css)\">\(escaped(text))</td>"
  }

  static func pairs(_ caption: String, _ rows: [(String, String)]) -> String {
    table(caption, css: "words", rows: rows.map { row($0.0, [cell($0.1)]) })
  }

  /// A part of the page that screen readers and the list of contents can name.
  static func section(_ id: String, _ title: String, _ body: String) -> String {
    """
    <section aria-labelledby="\(id)">
    <h2 id="\(id)">\(escaped(title))</h2>
    \(body)
    </section>
    """
  }
}
