// SPDX-License-Identifier: GPL-2.0-only

/// A kind of event, or another source, that inferences rest on. A capture has those that its records contain, and those
/// that its recorder says were enabled: then nothing of the kind happened.
///
/// Raw values index `Capabilities`.
public enum Capability: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  // — needed
  case pageFaults
  case allocations
  case frees
  case forks
  case exits

  // — without which less follows
  case counters
  case flushes
  case locks
  case layouts
  case calls
  case insertions
  case migrationEntries
  case collapses
  case merges
  case swapWrites
  case programs
  case signals
  case snapshots

  // — what tracepoints do not show
  case pins
  case stableWrites

  public struct Description: Sendable {
    /// Stable: what scripts and JSON call the limit of a capture that does not have it.
    public let limit: String
    /// What is seen, in the plural.
    public let title: String
    /// A capture without it cannot be relied on, whatever happened.
    public let isNeeded: Bool
    /// What no longer follows without it: one or two sentences, for people.
    public let consequence: String

    init(_ limit: String, _ title: String, needed: Bool = false, _ consequence: String) {
      (self.limit, self.title, self.isNeeded, self.consequence) = (limit, title, needed, consequence)
    }
  }

  public init?(limit: String) {
    guard let capability = Self.allCases.first(where: { $0.description.limit == limit }) else { return nil }
    self = capability
  }
}

/// What a capture can show.
public struct Capabilities: Sendable, Equatable {
  private var bits: UInt32 = 0

  public init() {}

  public init(_ capabilities: [Capability]) {
    for capability in capabilities { insert(capability) }
  }

  public static var all: Capabilities { Capabilities(Capability.allCases) }

  @inline(__always)
  public mutating func insert(_ capability: Capability) { bits |= 1 << capability.rawValue }

  public mutating func remove(_ capability: Capability) { bits &= ~(1 << capability.rawValue) }

  public mutating func formUnion(_ other: Capabilities) { bits |= other.bits }

  public func contains(_ capability: Capability) -> Bool { bits & (1 << capability.rawValue) != 0 }

  /// What it cannot show, in the order of the table.
  public var missing: [Capability] { Capability.allCases.filter { !contains($0) } }
}
