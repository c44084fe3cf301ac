// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Entries in the notation of the stories, for explanations.
extension LitmusPlayer {
  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  func describe(_ mm: MMID, _ page: Int) -> String {
    let entry = entry(mm, page)
    let sign = isExclusive(mm, page) ? "+" : "-"
    switch entry.kind {
    case .none: return vmas[mm]?.vma(at: page) == nil ? "no-vma" : "none"
    case .zeroPage: return "zero " + bits(entry)
    case .filePage: return "file"
    case .present:
      guard let target = mapped(mm, page) else { return "?" }
      let isHuge = world.memory.isPMDMapped(mm, VirtualPage(UInt64(page)))
      let kind = isHuge ? "pmd " : world.folios.flags(target.folio).contains(.ksm) ? "ksm " : ""
      return "\(kind)\(names.name(of: target.folio) ?? "#\(target.folio.raw)").\(target.page) \(bits(entry))\(sign)"
    case .swap: return "swap \(sign == "+" ? "excl" : "shared")\(tracking(entry))"
    case .migrationRead: return "migration R \(entry.dirty ? "D" : "c")\(tracking(entry))"
    case .migrationReadExclusive: return "migration Rx \(entry.dirty ? "D" : "c")\(tracking(entry))"
    case .migrationWrite: return "migration W \(entry.dirty ? "D" : "c")\(tracking(entry))"
    case .devicePrivate: return "device-private \(entry.writable ? "W" : "R")\(sign) \(tracking(entry))"
    case .deviceExclusive: return "device-exclusive \(sign) \(tracking(entry))"
    case .hwpoison: return "hwpoison"
    case .markerUffdWP: return "marker uffd-wp"
    case .markerGuard: return "marker guard"
    case .markerPoison: return "marker poisoned"
    }
  }

  private func bits(_ entry: Entry) -> String {
    (entry.writable || entry.shadowStack ? "W" : "r") + (entry.dirty || entry.hardwareDirty ? "D" : "c")
      + tracking(entry) + (entry.protnone ? "N" : "")
  }

  private func tracking(_ entry: Entry) -> String { (entry.softDirty ? "S" : "s") + (entry.uffdWP ? "U" : "") }

  static func word(_ entry: LitmusEntry, offset: Int) -> String {
    switch entry {
    case .none: "none"
    case .noVMA: "no-vma"
    case .file: "file"
    case .hwpoison: "hwpoison"
    case .marker(let marker): "marker \(marker.rawValue)"
    case .zeroPage(let bits): "zero \(word(bits))"
    case .swap(let exclusive, let bits): "swap \(exclusive ? "excl" : "shared") \(word(bits))"
    case .migration(let type, let bits): "migration \(type.rawValue) \(word(bits))"
    case .devicePrivate(let writable, let sign, let bits):
      "device-private \(writable ? "W" : "R")\(sign.isSet ? "+" : "-") \(word(bits))"
    case .deviceExclusive(let sign, let bits): "device-exclusive \(sign.isSet ? "+" : "-") \(word(bits))"
    case .present(let mapping, let bits, let sign):
      (mapping.huge ? "pmd " : mapping.ksm ? "ksm " : "")
        + (mapping.folio.map { "\($0).\(mapping.page + offset)" } ?? "*") + " \(word(bits))\(sign.isSet ? "+" : "-")"
    }
  }

  private static func word(_ bits: LitmusBits) -> String {
    (bits.writable.map { $0 ? "W" : "r" } ?? "") + (bits.dirty.map { $0 ? "D" : "c" } ?? "")
      + (bits.softDirty.map { $0 ? "S" : "s" } ?? "") + (bits.userfaultWriteProtect ? "U" : "")
      + (bits.protnone ? "N" : "")
  }
}
