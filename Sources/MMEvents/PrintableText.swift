// SPDX-License-Identifier: GPL-2.0-only

extension String {
  /// The text on one line, with everything visible that a terminal would obey or hide: control characters (newline and
  /// tab among them), line separators and marks of writing direction as escapes.
  ///
  /// Names, comms, command lines, paths and results come from whoever made the capture. Whatever is printed for people
  /// goes through here, reports through `[String].printed`.
  public var printable: String {
    if utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return self }
    var visible = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "\n": visible += "\\n"
      case "\r": visible += "\\r"
      case "\t": visible += "\\t"
      default:
        if scalar.isObeyed {
          visible += "\\u{\(String(scalar.value, radix: 16))}"
        } else {
          visible.unicodeScalars.append(scalar)
        }
      }
    }
    return visible
  }

  /// The same, but for the colours of our own reports.
  fileprivate func printable(keeping colours: [String]) -> String {
    var visible = ""
    var rest = self[...]
    while let escape = rest.unicodeScalars.firstIndex(of: "\u{1b}") {
      let colour = colours.first { rest.unicodeScalars[escape...].starts(with: $0.unicodeScalars) }
      visible += String(rest[..<escape]).printable
      visible += colour ?? "\u{1b}".printable
      rest = rest[rest.unicodeScalars.index(escape, offsetBy: colour?.unicodeScalars.count ?? 1)...]
    }
    return visible + String(rest).printable
  }
}

extension [String] {
  /// The lines of a report for people, each made printable and ended: what came with a newline in it makes no second
  /// line. Of escape sequences only `colours` stay; they can neither move the cursor nor hide anything.
  public func printed(colours: [String] = []) -> String {
    var text = ""
    for line in self {
      text += line.printable(keeping: colours)
      text += "\n"
    }
    return text
  }
}

extension Unicode.Scalar {
  /// Whether terminals act on it instead of showing it.
  fileprivate var isObeyed: Bool {
    switch value {
    // C0 and DEL; C1, which some terminals take for ESC sequences.
    case 0..<0x20, 0x7f, 0x80..<0xa0: true
    // Line and paragraph separator; embedding, override and isolation of the direction of writing.
    case 0x2028, 0x2029, 0x200e, 0x200f, 0x061c, 0x202a...0x202e, 0x2066...0x2069: true
    // Tags, and the mark of byte order.
    case 0xfeff, 0xe0000...0xe007f: true
    default: false
    }
  }
}
