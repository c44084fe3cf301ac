// SPDX-License-Identifier: GPL-2.0-only

import Replay

/// Whether text carries ANSI colours. The caller decides: a terminal, and no `NO_COLOR`.
package struct Style: Sendable {
  package let isColoured: Bool

  package init(isColoured: Bool) { self.isColoured = isColoured }

  func bold(_ text: String) -> String { wrap(text, "1") }

  func dim(_ text: String) -> String { wrap(text, "2") }

  /// Red corrupts data, yellow costs something, green is no worse than today.
  func verdict(_ verdict: Verdict, _ text: String) -> String {
    switch verdict {
    case .unsafe, .unsafeIO, .dataLoss, .conservativePin: wrap(text, "1;31")
    case .livelock, .invariantBreak: wrap(text, "31")
    case .conservativeCopy, .conservativeFault, .lost: wrap(text, "33")
    case .better, .ok: wrap(text, "32")
    }
  }

  func good(_ text: String) -> String { wrap(text, "32") }

  func bad(_ text: String) -> String { wrap(text, "1;31") }

  private func wrap(_ text: String, _ code: String) -> String {
    isColoured ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
  }
}
