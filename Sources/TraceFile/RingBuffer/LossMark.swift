// SPDX-License-Identifier: GPL-2.0-only

/// From here on records of a CPU are missing: until its next one, whose `lostBefore` says how many, or for good.
///
/// The others' records in between are there, but what happened on this CPU meanwhile is not in them.
public struct LossMark: Equatable, Sendable {
  /// So many records of the batch come before.
  public var position: Int
  public var cpu: UInt16
  public var buffer: UInt8

  public init(position: Int, cpu: UInt16, buffer: UInt8 = 0) {
    (self.position, self.cpu, self.buffer) = (position, cpu, buffer)
  }
}
