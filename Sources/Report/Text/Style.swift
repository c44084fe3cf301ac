// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// Whether text carries ANSI colours. The caller decides: a terminal, and no `NO_COLOR`.
package struct Style: Sendable {
  package let isColoured: Bool

  package init(isColoured: Bool) { self.isColoured = isColoured }

  func bold(_ text: String) -> String { wrap(text, .bold) }

  func dim(_ text: String) -> String { wrap(text, .dim) }

  /// Red corrupts data, yellow costs something, green is no worse than today.
  func verdict(_ verdict: Verdict, _ text: String) -> String {
    switch verdict {
    case .unsafe, .unsafeIO, .dataLoss, .conservativePin: wrap(text, .boldRed)
    case .livelock, .invariantBreak: wrap(text, .red)
    case .conservativeCopy, .conservativeFault, .lost: wrap(text, .yellow)
    case .better, .ok: wrap(text, .green)
    }
  }

  func good(_ text: String) -> String { wrap(text, .green) }

  func warn(_ text: String) -> String { wrap(text, .yellow) }

  func bad(_ text: String) -> String { wrap(text, .boldRed) }

  /// The lines of a report, ended; nothing in them that a terminal would obey but the colours from here.
  func printed(_ lines: [String]) -> String {
    lines.printed(colours: isColoured ? Colour.allCases.map(\.rawValue) : [])
  }

  private enum Colour: String, CaseIterable {
    case none = "\u{1b}[0m"
    case bold = "\u{1b}[1m"
    case dim = "\u{1b}[2m"
    case red = "\u{1b}[31m"
    case boldRed = "\u{1b}[1;31m"
    case green = "\u{1b}[32m"
    case yellow = "\u{1b}[33m"
  }

  private func wrap(_ text: String, _ colour: Colour) -> String {
    isColoured ? colour.rawValue + text + Colour.none.rawValue : text
  }
}
