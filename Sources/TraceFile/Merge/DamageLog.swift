// SPDX-License-Identifier: GPL-2.0-only

/// What could not be read, in the order it was met. A badly broken file has one entry per sub-buffer, so only the
/// first are kept; all are counted.
struct DamageLog {
  static let kept = 1000

  private(set) var entries: [TraceFileError] = []
  private(set) var total = 0

  mutating func add(_ damage: TraceFileError) {
    total += 1
    if entries.count < Self.kept { entries.append(damage) }
  }
}
