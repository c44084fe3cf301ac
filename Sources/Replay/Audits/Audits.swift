// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// The audits there are.
package enum AuditRegistry {
  package static let all: [any Audit.Type] = [
    CollapseAudit.self, CopiesAudit.self, KernelAudit.self, MprotectAudit.self, PinsAudit.self, TablesAudit.self,
  ]

  package static func audit(named name: String) -> (any Audit.Type)? {
    all.first { $0.description.name == name.lowercased() }
  }
}

/// The audits of a replay, each called for what it is interested in only.
struct Audits: Sendable {
  private var all: [any Audit] = []
  private var interests: [AuditInterests] = []
  /// Who is interested, a bit an audit: by the bit of the interest.
  private var interested = [UInt64](repeating: 0, count: AuditInterests.RawValue.bitWidth)
  private var tablesAt: Int?
  /// Of any of them.
  private var anyInterest: AuditInterests = []
  private var turningPoints: AuditInterests = []

  init(_ types: [any Audit.Type], _ facts: KernelFacts) {
    for type in types { add(type.init(facts)) }
  }

  mutating func add(_ audit: any Audit) {
    if audit is TablesAudit { tablesAt = all.count }
    all.append(audit)
    interests.append(audit.interests)
    turningPoints.formUnion(type(of: audit).turningPoints)
    noteInterests()
  }

  private mutating func noteInterests() {
    anyInterest = interests.reduce(into: []) { $0.formUnion($1) }
    for bit in interested.indices {
      interested[bit] = interests.indices.reduce(0) { $0 | (interests[$1].rawValue &>> UInt64(bit) & 1) &<< UInt64($1) }
    }
  }

  /// The audits that have this one interest.
  @inline(__always)
  private func members(with interest: AuditInterests) -> UInt64 { interested[interest.rawValue.trailingZeroBitCount] }

  @inline(__always)
  private static func takeFirst(_ left: inout UInt64) -> Int? {
    guard left != 0 else { return nil }
    defer { left &= left &- 1 }
    return left.trailingZeroBitCount
  }

  func first<A: Audit>(_ type: A.Type) -> A? { all.lazy.compactMap { $0 as? A }.first }

  /// Page tables there are now, and how many of them are empty; `nil` where nobody counts them.
  var tableCounts: (tables: UInt64, empty: UInt64)? {
    tablesAt.flatMap { all[$0] as? TablesAudit }?.counts
  }

  @inline(__always)
  func areInterested(in steps: AuditInterests) -> Bool { !anyInterest.isDisjoint(with: steps) }

  @inline(__always)
  func areInterested(in event: MMEvent) -> Bool {
    anyInterest.rawValue != 0 && !anyInterest.isDisjoint(with: AuditInterests(event))
  }

  var followTables: Bool { anyInterest.contains(.tables) }

  @inline(never)
  mutating func before(
    _ step: Operation, _ interest: AuditInterests, _ world: borrowing World<Baseline>, _ doubts: Doubts,
    _ record: MMEventRecord
  ) {
    var left = members(with: interest)
    while let index = Self.takeFirst(&left) { all[index].before(step, world, doubts, record) }
  }

  @inline(never)
  mutating func after(
    _ step: Operation, _ interest: AuditInterests, _ outcome: Outcome, _ world: borrowing World<Baseline>,
    _ record: MMEventRecord
  ) {
    var left = members(with: interest)
    while let index = Self.takeFirst(&left) { all[index].after(step, outcome, world, record) }
    if !turningPoints.isDisjoint(with: interest) { for index in all.indices { note(index) } }
  }

  @inline(never)
  mutating func saw(_ record: MMEventRecord, _ world: borrowing World<Baseline>) {
    var left = members(with: AuditInterests(record.event))
    while let index = Self.takeFirst(&left) {
      all[index].saw(record, world)
      note(index)
    }
  }

  /// The event that the audit saw, or the step, may have changed what it is interested in.
  private mutating func note(_ index: Int) {
    let new = all[index].interests
    guard new != interests[index] else { return }
    interests[index] = new
    noteInterests()
  }

  /// All that an event did to page tables is told at once.
  @inline(never)
  mutating func tablesChanged(_ world: inout World<Baseline>, _ record: MMEventRecord) {
    let changed = world.memory.changedTables
    for index in all.indices where interests[index].contains(.tables) {
      all[index].tablesChanged(changed, world, record)
    }
    world.memory.forgetTableChanges()
  }

  /// What is told with its history.
  var findings: [AuditExample] { all.flatMap { $0.examples(pageShift: 0) }.filter(\.isFinding) }

  func results(pageShift: UInt8, _ capabilities: Capabilities) -> [AuditResult] {
    all.map { audit in
      let description = type(of: audit).description
      let counts = audit.figures(pageShift: pageShift)
      func isObservable(_ figure: AuditDescription.Figure) -> Bool { figure.needs.allSatisfy(capabilities.contains) }
      return AuditResult(
        name: description.name,
        figures: description.figures.filter(isObservable).map {
          NamedCount(name: $0.name, count: counts[$0.name] ?? 0)
        },
        notObservable: description.figures.filter { !isObservable($0) }.map(\.name),
        examples: audit.examples(pageShift: pageShift))
    }
  }
}
