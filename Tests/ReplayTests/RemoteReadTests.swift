// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// `process_vm_readv` pins what it reads. A page that is not exclusive becomes so where nobody else maps it
/// (`do_wp_page` for FAULT_FLAG_UNSHARE), with no event; where somebody does it is copied, which shows.
@Suite("Reads of another process's memory")
struct RemoteReadTests {
  private static let shown = ProcessSnapshot(
    vmas: [],
    anonymous: [ProcessSnapshot.Page(page: Tale.first, pfn: PFN(1), exclusive: true, isMappedOnce: true)])

  /// Page 0 of P, whose flag fork cleared; Q is gone, or is not.
  private func tale(isShared: Bool, _ access: Unfollowed?) -> Tale {
    var tale = Tale(snapshots: [0: Self.shown])
    tale.touch(0, 1)
    tale.fork(0..<8)
    if !isShared {
      tale.at(Tale.q, 200, .mmTeardownBegan)
      tale.at(Tale.q, 200, .mmExited)
    }
    if let access { tale.at(Tale.p, 300, .unfollowed(access, nil)) }
    return tale
  }

  private static let rows: [(isShared: Bool, access: Unfollowed?, isUnknown: Bool)] = [
    (false, .remoteRead, true), (true, .remoteRead, false), (false, nil, false), (false, .remoteAccess, true),
    (true, .remoteAccess, true),
  ]

  @Test("A snapshot that shows the flag set", arguments: rows.indices)
  func snapshot(_ index: Int) {
    let row = Self.rows[index]
    var tale = tale(isShared: row.isShared, row.access)
    tale.at(Tale.p, 400, .snapshotBegan(0))
    tale.at(Tale.p, 400, .snapshotEnded(0))
    let pages = tale.result().verification.pages
    #expect(pages.unknown == (row.isUnknown ? 1 : 0) && pages.disagree == (row.isUnknown ? 0 : 1))
  }

  /// The event does not name the mm: of two that map the page it may be the other's.
  @Test("A migration entry of an exclusive page", arguments: rows.indices.dropLast())
  func migration(_ index: Int) {
    let row = Self.rows[index]
    var tale = tale(isShared: row.isShared, row.access)
    tale.at(
      Tale.p, 400, .migrationSet(tale.page(0), PFN(1), .readExclusive, .base, young: false, dirty: false))
    let entries = tale.result().verification.entries
    #expect(entries.unknown == (row.isUnknown ? 1 : 0) && entries.disagree == (row.isUnknown ? 0 : 1))
  }

  @Test("Reading is no reason to doubt the result")
  func severity() {
    #expect(Gap.remoteReadsNotFollowed.description.severity == .info)
    #expect(Gap.remoteAccessNotFollowed.description.severity == .doubt)
  }
}
