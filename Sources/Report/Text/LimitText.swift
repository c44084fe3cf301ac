// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// What a capture cannot show: what is needed in full, the rest by name.
struct LimitText {
  let style: Style

  func lines(_ capture: CaptureSummary) -> [String] {
    let missing = capture.capabilities.missing
    let needed = missing.filter { $0.description.isNeeded }.flatMap { capability in
      Paragraph.lines("no \(capability.description.title): \(capability.description.consequence)").map(style.bad)
    }
    let others = missing.filter { !$0.description.isNeeded }.map(\.description.limit)
    guard !others.isEmpty else { return needed }
    return needed
      + Paragraph.lines("limits: \(others.joined(separator: ", ")) (`cowscope explain NAME`)").map(style.dim)
  }
}
