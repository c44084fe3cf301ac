// SPDX-License-Identifier: GPL-2.0-only

/// How many records the ring buffer dropped at one point of one CPU's stream.
public enum Loss: Equatable, Sendable {
  case none
  case exactly(Int)
  /// The kernel says records were lost but not how many.
  case unknownCount
}
