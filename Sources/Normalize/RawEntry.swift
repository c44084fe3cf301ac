// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Raw page table entries as the migration events print them.
package struct RawEntry {
  let raw: UInt64
  let machine: Machine

  package init(raw: UInt64, machine: Machine) { (self.raw, self.machine) = (raw, machine) }

  struct MigrationEntry {
    var frame: PFN
    var type: MigrationEntryType
    var young: Bool
    var dirty: Bool
  }

  struct PresentEntry {
    var frame: PFN
    var writable: Bool
    var dirty: Bool
  }

  /// `nil`: no migration entry, or of an architecture that is not understood.
  var migration: MigrationEntry? {
    let number: UInt64
    let offset: UInt64
    switch machine.architecture {
    case .x86:
      // The offset is stored inverted (`SWP_OFFSET_SHIFT`, against L1TF).
      number = raw >> 59
      offset = (~raw << 5) >> 14
    case .arm64:
      number = raw >> 6 & 0x1f
      offset = raw >> 12 & ((1 << 50) - 1)
    case .other: return nil
    }
    let type: MigrationEntryType
    switch number {
    case machine.readMigrationType: type = .read
    case machine.readMigrationType + 1: type = .readExclusive
    case machine.readMigrationType + 2: type = .write
    default: return nil
    }
    return MigrationEntry(
      frame: PFN(offset & ((1 << machine.frameBits) - 1)), type: type, young: offset >> machine.frameBits & 1 != 0,
      dirty: offset >> (machine.frameBits + 1) & 1 != 0)
  }

  /// `nil` where the architecture is not understood.
  var present: PresentEntry? {
    switch machine.architecture {
    case .x86:
      // `_PAGE_DIRTY`, or `_PAGE_SAVED_DIRTY` of an entry that lost its write bit.
      PresentEntry(
        frame: PFN((raw & ((1 << 52) - 1)) >> 12), writable: raw >> 1 & 1 != 0,
        dirty: raw & (1 << 6 | 1 << 58) != 0)
    case .arm64:
      // `PTE_DBM` is write; hardware then clears `PTE_RDONLY` (7) for dirty. 55: `PTE_DIRTY`.
      PresentEntry(
        frame: PFN((raw & ((1 << 48) - 1)) >> 12), writable: raw >> 51 & 1 != 0,
        dirty: raw >> 55 & 1 != 0 || (raw >> 51 & 1 != 0 && raw >> 7 & 1 == 0))
    case .other: nil
    }
  }

  /// The same migration entry of another frame; `nil` where the architecture is not understood.
  package func migration(withFrame other: (UInt64) -> UInt64) -> UInt64? {
    let flags = (UInt64(3) << machine.frameBits)
    let frames = (UInt64(1) << machine.frameBits) - 1
    func moved(_ offset: UInt64) -> UInt64 { offset & flags | other(offset & frames) & frames }
    let mask: UInt64 = (1 << 50) - 1
    switch machine.architecture {
    case .x86: return raw & ~(mask << 9) | (~moved(~raw >> 9 & mask) & mask) << 9
    case .arm64: return raw & ~(mask << 12) | (moved(raw >> 12 & mask) & mask) << 12
    case .other: return nil
    }
  }

  /// The same present entry of another frame; `nil` where the architecture is not understood.
  package func present(withFrame other: (UInt64) -> UInt64) -> UInt64? {
    let bits: UInt64
    switch machine.architecture {
    case .x86: bits = 40
    case .arm64: bits = 36
    case .other: return nil
    }
    let mask: UInt64 = (1 << bits) - 1
    return raw & ~(mask << 12) | (other(raw >> 12 & mask) & mask) << 12
  }
}
