// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// A debugger's write (`FOLL_FORCE`) needs no VM_WRITE: what it puts into a VMA of unknown protection may be writable
/// or not, until something else tells. A migration entry's type asks the model for the write bit.
@Suite("Forced writes")
struct ForcedWriteTests {
  private static let forced: FaultAccess = [.write, .present, .remote]
  private static let kernelWrite: FaultAccess = [.write, .present, .kernel]

  private func tale(_ backing: VMABacking, _ protection: VMAProtection) -> Tale {
    var tale = Tale()
    tale.at(Tale.p, 100, .vmaMapped(tale.range(0..<8), backing, protection))
    return tale
  }

  /// Whether each type agrees with the entry of page 0 in frame 1.
  private func agreeing(_ tale: Tale) -> [MigrationEntryType: Bool] {
    var agreeing: [MigrationEntryType: Bool] = [:]
    for type in MigrationEntryType.allCases {
      var tale = tale
      tale.at(
        Tale.p, 900, .migrationSet(tale.page(0), PFN(1), type, .base, young: false, dirty: false))
      let entries = tale.result().verification.entries
      agreeing[type] = entries.disagree == 0
    }
    return agreeing
  }

  private static let eitherWay: [MigrationEntryType: Bool] = [.read: false, .readExclusive: true, .write: true]
  private static let writable: [MigrationEntryType: Bool] = [.read: false, .readExclusive: false, .write: true]
  private static let readOnly: [MigrationEntryType: Bool] = [.read: false, .readExclusive: true, .write: false]

  /// A breakpoint in a program's text, a first touch, a copy in place of the zero page.
  private static let outcomes: [FaultOutcome] = [
    .copiedFromFile(PFN(1), wasMapped: true), .anonymous(PFN(1), .base, replaced: false),
    .copied(PFN(1), sinceDecision: 0),
  ]

  @Test("Into a VMA of unknown protection: the page is exclusive, its write bit unknown", arguments: outcomes.indices)
  func unknownProtection(_ index: Int) {
    var tale = tale(.loader, .unknown)
    tale.at(Tale.p, 100, .fault(tale.page(0), Self.forced, Self.outcomes[index]))
    #expect(agreeing(tale) == Self.eitherWay)
    // The mm's own write was not refused.
    tale.at(Tale.p, 100, .fault(tale.page(0), [.write, .present], .quiet))
    #expect(agreeing(tale) == Self.writable)
  }

  @Test("Into one of known protection it goes by that", arguments: [true, false])
  func knownProtection(_ isWritable: Bool) {
    var tale = tale(.privateFile, isWritable ? [.read, .write] : [.read, .execute])
    tale.at(Tale.p, 100, .fault(tale.page(0), Self.forced, .copiedFromFile(PFN(1), wasMapped: true)))
    #expect(agreeing(tale) == (isWritable ? Self.writable : Self.readOnly))
  }

  @Test("A page that its mm wrote first is writable: the VMA was")
  func writtenBefore() {
    var tale = tale(.loader, .unknown)
    tale.at(Tale.p, 100, .fault(tale.page(0), .write, .copiedFromFile(PFN(2), wasMapped: true)))
    tale.fork(0..<8)
    tale.at(Tale.p, 100, .fault(tale.page(0), Self.forced, .copied(PFN(1), sinceDecision: 0)))
    #expect(agreeing(tale) == Self.writable)
  }

  @Test("fork passes it on, and a copy for the child is as unknown")
  func forked() {
    var tale = tale(.loader, .unknown)
    tale.at(Tale.p, 100, .fault(tale.page(0), Self.forced, .copiedFromFile(PFN(2), wasMapped: true)))
    tale.fork(0..<8)
    tale.at(Tale.q, 200, .fault(tale.page(0), Self.forced, .copied(PFN(1), sinceDecision: 0)))
    #expect(agreeing(tale) == Self.eitherWay)
  }

  @Test("So is what comes back from swap by a read")
  func swapped() {
    var tale = tale(.loader, .unknown)
    tale.at(Tale.p, 100, .fault(tale.page(0), Self.forced, .copiedFromFile(PFN(2), wasMapped: true)))
    tale.at(Tale.p, 900, .swappedOut(pages: 1))
    tale.at(Tale.p, 900, .swapWritten(PFN(2)))
    tale.at(Tale.p, 900, .freed(PFN(2), .base))
    tale.at(Tale.p, 100, .fault(tale.page(0), [], .swappedIn(PFN(1), .none)))
    #expect(agreeing(tale) == Self.eitherWay)
  }

  @Test("mprotect tells the protection, and what it makes of the entry")
  func protected() {
    var tale = tale(.loader, .unknown)
    tale.at(Tale.p, 100, .fault(tale.page(0), Self.forced, .copiedFromFile(PFN(1), wasMapped: true)))
    tale.at(Tale.p, 100, .protected(tale.range(0..<8), [.read, .execute]))
    #expect(agreeing(tale) == Self.readOnly)
    tale.at(Tale.p, 100, .protected(tale.range(0..<8), [.read, .write]))
    #expect(agreeing(tale) == Self.writable)
  }

  @Test("The kernel's write there that shows nothing may have been refused: unknown, not an agreement")
  func kernelWrite() {
    var tale = tale(.loader, .unknown)
    tale.at(Tale.p, 100, .fault(tale.page(0), Self.forced, .copiedFromFile(PFN(1), wasMapped: true)))
    let before = tale.result().verification.decisions
    tale.at(Tale.p, 100, .fault(tale.page(0), Self.kernelWrite, .quiet))
    let decisions = tale.result().verification.decisions
    #expect(decisions.unknown == before.unknown + 1 && decisions.agree == before.agree && decisions.disagree == 0)
  }
}
