// SPDX-License-Identifier: GPL-2.0-only

import Replay

/// Approach E, as an example of an encoding in one file: a software bit of the PTE says exclusive. It moves, splits
/// and stays with its entry by itself; what is left is to set it and to clear it.
enum SoftwareBit: Encoding {
  static let id = EncodingID("E")
  static let description = EncodingDescription("(E) a software bit of the PTE")

  static func claim(_ world: World<Self>, _ ref: EntryRef, _ entry: Entry) -> Claim {
    switch entry.kind {
    case .present, .swap, .devicePrivate, .deviceExclusive: Claim(entry.exclusiveMark)
    case .migrationReadExclusive, .migrationWrite: .exclusive
    case .migrationRead, .none, .zeroPage, .filePage, .hwpoison, .markerUffdWP, .markerGuard, .markerPoison: .shared
    }
  }

  static func installedExclusive(_ world: inout World<Self>, _ ref: EntryRef, _ site: InstallSite) {
    mark(&world, ref, true)
  }

  static func reused(_ world: inout World<Self>, _ ref: EntryRef, _ site: ReuseSite) { mark(&world, ref, true) }

  static func sharedAtFork(_ world: inout World<Self>, parent: EntryRef, child: EntryRef) {
    mark(&world, parent, false)
    mark(&world, child, false)
  }

  static func sharedByKSM(_ world: inout World<Self>, _ ref: EntryRef) { mark(&world, ref, false) }

  static func devicePrivateReadOnly(_ world: inout World<Self>, _ ref: EntryRef, exclusive: Bool) {
    mark(&world, ref, exclusive)
  }

  private static func mark(_ world: inout World<Self>, _ ref: EntryRef, _ isExclusive: Bool) {
    var entry = world.memory.entry(ref)
    entry.exclusiveMark = isExclusive
    world.update(entry, at: ref)
  }
}
