// SPDX-License-Identifier: GPL-2.0-only

/// Every way in which input can be bad, passed over or contradictory: the one table from which reports, JSON and
/// `info` print. Whatever is not read, not followed or not explained is counted here and nowhere else.
///
/// Raw values index `GapCounts`. Names are stable identifiers for scripts, sentences are for people.
public enum Gap: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  // — file

  case damagedPlaces
  case assumedKernel
  case unreadableSnapshots
  case recordingDisturbed

  // — text

  case refusedLines
  case unrecognisedLines
  case ignoredLines
  case overwrittenRecords
  case timeBackwards

  // — normalizer

  case ignoredRecords
  case malformedRecords
  case impossibleRecords
  case faultsWithoutMM
  case forksOfUnknownKind
  case foreignCounters
  case foreignExits
  case exitsWithoutMM
  case foreignTreeWrites

  // — model: recognised, not followed

  case hugetlbNotFollowed
  case swapNotFollowed
  case migrationNotFollowed
  case ksmNotFollowed
  case pinsNotFollowed
  case remoteAccessNotFollowed
  case remoteReadsNotFollowed
  case collapseNotFollowed
  case deviceMemoryNotFollowed
  case placelessPages
  case userfaultfdNotFollowed
  case userfaultfdWriteProtectNotFollowed

  // — model: does not fit

  case eventsWithoutMM
  case eventsAfterExit
  case framesFreedWhileMapped
  case contradictoryFaults
  case populatedNowhere
  case forkCountDiffers
  case firstTouchOfPresent
  case migratedUnknown
  case firstSeenInSnapshot
  case copiedTwiceByFork
  case mappersExcluded
  case stateContradictions

  /// Where it is noticed.
  public enum Origin: String, Sendable, CaseIterable { case file, text, merge, normalizer, model, witness }

  /// What it does to trust.
  public enum Severity: String, Sendable, CaseIterable {
    /// Nothing is known the less for it.
    case info
    /// Each counts as one thing that is unknown.
    case doubt
    /// Something that happened is not in what was replayed: the answer is not to be relied on.
    case loss
  }

  public struct Description: Sendable {
    /// Stable: what scripts and JSON call it.
    public let name: String
    public let origin: Origin
    public let severity: Severity
    /// What is counted, in the plural.
    public let unit: String
    /// One sentence, for people.
    public let sentence: String

    init(_ name: String, _ origin: Origin, _ severity: Severity, _ unit: String, _ sentence: String) {
      (self.name, self.origin, self.severity, self.unit, self.sentence) = (name, origin, severity, unit, sentence)
    }
  }

  public init?(name: String) {
    guard let gap = Self.allCases.first(where: { $0.description.name == name }) else { return nil }
    self = gap
  }
}

/// How often each gap was met.
public struct GapCounts: Sendable, Equatable {
  private var counts = ContiguousArray<UInt64>(repeating: 0, count: Gap.allCases.count)

  public init() {}

  public subscript(gap: Gap) -> UInt64 {
    @inline(__always) get { counts[Int(gap.rawValue)] }
    @inline(__always) set { counts[Int(gap.rawValue)] = newValue }
  }

  public mutating func add(_ gap: Gap, _ count: UInt64 = 1) { self[gap] &+= count }

  public mutating func add(_ other: GapCounts) {
    for index in counts.indices { counts[index] &+= other.counts[index] }
  }

  /// Those that were met, in the order of the table.
  public var met: [(gap: Gap, count: UInt64)] {
    Gap.allCases.compactMap { self[$0] > 0 ? ($0, self[$0]) : nil }
  }

  /// How many were met of one severity.
  public func total(_ severity: Gap.Severity) -> UInt64 {
    met.reduce(0) { $1.gap.description.severity == severity ? $0 &+ $1.count : $0 }
  }
}
