// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What a replay comes to besides its findings: over time, and by process.
struct RunningAccounts: Sendable {
  var timeline: TimelineKeeper
  private(set) var processes = ProcessLedger()
  private var copies: UInt64 = 0
  private var reuses: UInt64 = 0
  private var forks: UInt64 = 0
  private var collapses: UInt64 = 0
  private var losses: UInt64 = 0

  /// - Parameter encodings: How many have columns of their own in the timeline.
  init(encodings: Int, shortestStretch: UInt64 = 64_000) {
    timeline = TimelineKeeper(
      width: Timeline.Gauge.allCases.count + Timeline.Count.allCases.count + 2 * encodings, shortest: shortestStretch)
  }

  func total(_ count: Timeline.Count) -> UInt64 {
    switch count {
    case .forks: forks
    case .copies: copies
    case .reuses: reuses
    case .collapses: collapses
    case .losses: losses
    }
  }

  @inline(__always)
  mutating func note(_ operation: Operation, _ outcome: Outcome, _ record: MMEventRecord) {
    switch operation {
    case .writeFault(let mm, _, _, _):
      switch outcome {
      case .reused:
        reuses &+= 1
        processes.wrote(mm, .reused, record)
      case .copied(from: .some, to: _):
        copies &+= 1
        processes.wrote(mm, .copied, record)
      default: processes.wrote(mm, nil, record)
      }
    case .forkEnd:
      forks &+= 1
      processes.lived(operation, record)
    case .createMM, .forkBegin, .forkAbort, .exitBegin, .exitEnd: processes.lived(operation, record)
    default: break
    }
  }

  mutating func noteCollapse() { collapses &+= 1 }
  mutating func noteLoss() { losses &+= 1 }
}
