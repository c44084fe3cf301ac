// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// How long page tables stayed empty, and what a scan that frees empty ones every so often would have caught.
struct EmptyTime {
  /// Below 0.1 s, 1 s and 10 s, and longer.
  private(set) var lasted: [UInt64] = [0, 0, 0, 0]
  /// By a scan every second, every ten.
  private(set) var scans = [PeriodicScan(period: second), PeriodicScan(period: 10 * second)]

  static let second: UInt64 = 1_000_000_000
  static let limits = [second / 10, second, 10 * second]

  struct PeriodicScan {
    /// In ns of the trace clock.
    let period: UInt64
    var freed: UInt64 = 0
    /// Of those, made again as something came to be mapped there.
    var rebuilt: UInt64 = 0

    init(period: UInt64) { self.period = period }
  }

  /// A table was empty for so long, and then had an entry again, or went.
  mutating func ended(since: Timestamp, at now: Timestamp, refilled: Bool) {
    let time = now.nanoseconds >= since.nanoseconds ? now.nanoseconds - since.nanoseconds : 0
    lasted[Self.limits.firstIndex { time < $0 } ?? Self.limits.count] += 1
    for index in scans.indices {
      let period = scans[index].period
      guard now.nanoseconds / period > since.nanoseconds / period else { continue }
      scans[index].freed += 1
      if refilled { scans[index].rebuilt += 1 }
    }
  }
}
