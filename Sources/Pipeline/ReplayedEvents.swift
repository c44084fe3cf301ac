// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// What a result's counts are counts among.
struct ReplayedEvents {
  private var forks: UInt64 = 0
  private var faults: UInt64 = 0

  mutating func add(_ events: [MMEventRecord]) {
    for event in events {
      switch event.event {
      case .fault: faults += 1
      case .forkEnded: forks += 1
      default: break
      }
    }
  }

  /// A capture that cannot show them has no number of them.
  func tell(_ result: inout ReplayResult) {
    let shown = result.capture.capabilities
    result.forks = shown.contains(.forks) ? forks : nil
    result.faults = shown.contains(.pageFaults) ? faults : nil
  }
}
