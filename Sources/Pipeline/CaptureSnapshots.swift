// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay
import TraceFile

/// The snapshots of a capture in the terms of the model.
final class CaptureSnapshots: SnapshotSource {
  private let file: SnapshotFile
  private let pageShift: UInt64
  /// Since 6.10 `/proc/kpageflags` shows the head page's flags for every page of a folio.
  private let showsHeadOnly: Bool
  private var positions: [UInt32: Int] = [:]
  /// The first position that is not in `positions` yet.
  private var unread = 0
  /// What could not be read; the replay goes on without it.
  private(set) var damages: [TraceFileError] = []

  init(_ file: SnapshotFile, facts: KernelFacts) {
    self.file = file
    pageShift = UInt64(file.pageSize.trailingZeroBitCount)
    showsHeadOnly = facts.pageFlagsShowHeadOnly
    if let damage = file.damage { damages.append(damage) }
  }

  func snapshot(_ index: UInt32) -> ProcessSnapshot? {
    do throws(TraceFileError) {
      if let position = positions[index] { return convert(try file.snapshot(at: position)) }
      while unread < file.count {
        let position = unread
        unread += 1
        let snapshot = try file.snapshot(at: position)
        positions[snapshot.index] = position
        if snapshot.index == index { return convert(snapshot) }
      }
    } catch {
      damages.append(error)
    }
    return nil
  }

  private func convert(_ snapshot: Snapshot) -> ProcessSnapshot {
    let huge = HugetlbOfSnapshot(snapshot, pageShift)
    var converted = ProcessSnapshot(
      vmas: snapshot.vmas.map { vma in
        let range = PageRange(start: VirtualPage(vma.start >> pageShift), end: VirtualPage(vma.end >> pageShift))
        return ProcessSnapshot.VMA(
          range: range, facts: VMAFacts(backing: huge.backing(vma, range) ?? backing(vma), protection: protection(vma)))
      }, anonymous: snapshot.pages.compactMap { anonymous($0, huge) },
      swapped: Set(snapshot.pages.filter(\.isSwapped).map { VirtualPage($0.virtualPage) }),
      hugetlbTails: UInt64(snapshot.pages.count { isAnonymous($0) && $0.isOfHugetlb && $0.isTail }),
      gigantic: UInt64(snapshot.pages.count { isAnonymous($0) && huge.isGigantic($0) }))
    // With larger pages a table has more entries.
    guard pageShift == 12 else { return converted }
    converted.pageTableBytes = snapshot.pageTableBytes
    converted.populatedTables = Set(snapshot.pages.map { $0.virtualPage >> 9 })
    return converted
  }

  /// KPF_ANON on a present page. `/proc/kpageflags` is read after pagemap: a file's page (bit 61 of its entry) may have
  /// been reclaimed by then, and its frame be somebody's anonymous page.
  private func isAnonymous(_ page: SnapshotPage) -> Bool {
    page.isPresent && !page.isFileOrShared && page.pageFlags >> 12 & 1 == 1 && page.pfn != 0
  }

  /// Bit 34 is PG_anon_exclusive on an anonymous page, and something else on any other.
  private func anonymous(_ page: SnapshotPage, _ huge: HugetlbOfSnapshot) -> ProcessSnapshot.Page? {
    guard isAnonymous(page), !(page.isOfHugetlb && (page.isTail || huge.isGigantic(page))) else { return nil }
    return ProcessSnapshot.Page(
      page: VirtualPage(page.virtualPage), pfn: PFN(page.pfn),
      exclusive: showsHeadOnly && page.isTail ? nil : page.pageFlags >> 34 & 1 == 1,
      isMappedOnce: page.isExclusivelyMapped, isLarge: page.isTail || page.isHead, isHugetlb: page.isOfHugetlb)
  }

  private func backing(_ vma: SnapshotVMA) -> VMABacking {
    switch vma.kind {
    case .hugetlb: vma.isShared ? .shared : .hugetlb
    case .shmem: vma.isShared ? .shared : .privateFile
    case .file: vma.isShared ? .shared : .privateFile
    case .anonymous, .heap, .stack: vma.isShared ? .shared : .anonymous
    case .special: .loader
    }
  }

  private func protection(_ vma: SnapshotVMA) -> VMAProtection {
    var protection: VMAProtection = []
    if vma.isReadable { protection.insert(.read) }
    if vma.isWritable { protection.insert(.write) }
    if vma.isExecutable { protection.insert(.execute) }
    return protection
  }
}

extension SnapshotPage {
  /// KPF_HUGE: not a transparent huge page.
  fileprivate var isOfHugetlb: Bool { pageFlags >> 17 & 1 == 1 }

  /// KPF_COMPOUND_HEAD, KPF_COMPOUND_TAIL.
  fileprivate var isHead: Bool { pageFlags >> 15 & 1 == 1 }
  fileprivate var isTail: Bool { pageFlags >> 16 & 1 == 1 }
}

/// Which VMAs of a snapshot are hugetlb's: their names tell of some, their pages of all that have any.
private struct HugetlbOfSnapshot {
  /// The pages of hugetlb, in order.
  private let pages: [SnapshotPage]
  /// Those of folios that are larger than a PMD maps: their head is followed by more tails than that.
  private let gigantic: Set<UInt64>

  init(_ snapshot: Snapshot, _ pageShift: UInt64) {
    pages = snapshot.pages.filter(\.isOfHugetlb)
    var gigantic: Set<UInt64> = []
    var run: [UInt64] = []
    for page in pages {
      if page.isHead { run.removeAll() }
      run.append(page.virtualPage)
      if run.count > FolioOrder(9).pageCount {
        gigantic.formUnion(run)
        run = Array(run.suffix(FolioOrder(9).pageCount))
      }
    }
    self.gigantic = gigantic
  }

  func isGigantic(_ page: SnapshotPage) -> Bool { !gigantic.isEmpty && gigantic.contains(page.virtualPage) }

  /// The pages of a snapshot go up the address space, VMA by VMA.
  private func firstPage(from start: VirtualPage) -> SnapshotPage? {
    var (low, high) = (0, pages.count)
    while low < high {
      let middle = (low + high) / 2
      if pages[middle].virtualPage < start.rawValue { low = middle + 1 } else { high = middle }
    }
    return low < pages.count ? pages[low] : nil
  }

  /// `nil`: not private memory of hugetlb.
  func backing(_ vma: SnapshotVMA, _ range: PageRange) -> VMABacking? {
    guard !vma.isShared, let first = firstPage(from: range.start), range.contains(VirtualPage(first.virtualPage)) else {
      return nil
    }
    if isGigantic(first) { return .gigantic }
    return vma.name.hasPrefix("/anon_hugepage") ? .hugetlb : .hugetlbFile
  }
}
