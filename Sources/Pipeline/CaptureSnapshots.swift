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
    ProcessSnapshot(
      vmas: snapshot.vmas.map { vma in
        ProcessSnapshot.VMA(
          range: PageRange(start: VirtualPage(vma.start >> pageShift), end: VirtualPage(vma.end >> pageShift)),
          facts: VMAFacts(backing: backing(vma), protection: protection(vma)))
      }, anonymous: snapshot.pages.compactMap(anonymous),
      swapped: Set(snapshot.pages.filter(\.isSwapped).map { VirtualPage($0.virtualPage) }),
      hugetlb: UInt64(snapshot.pages.count { isAnonymous($0) && isHugetlb($0) }))
  }

  /// KPF_ANON on a present page. `/proc/kpageflags` is read after pagemap: a file's page (bit 61 of its entry) may have
  /// been reclaimed by then, and its frame be somebody's anonymous page.
  private func isAnonymous(_ page: SnapshotPage) -> Bool {
    page.isPresent && !page.isFileOrShared && page.pageFlags >> 12 & 1 == 1 && page.pfn != 0
  }

  /// KPF_HUGE: not a transparent huge page.
  private func isHugetlb(_ page: SnapshotPage) -> Bool { page.pageFlags >> 17 & 1 == 1 }

  /// Bit 34 is PG_anon_exclusive on an anonymous page, and something else on any other.
  private func anonymous(_ page: SnapshotPage) -> ProcessSnapshot.Page? {
    guard isAnonymous(page), !isHugetlb(page) else { return nil }
    let isTail = page.pageFlags >> 16 & 1 == 1
    return ProcessSnapshot.Page(
      page: VirtualPage(page.virtualPage), pfn: PFN(page.pfn),
      exclusive: showsHeadOnly && isTail ? nil : page.pageFlags >> 34 & 1 == 1, isMappedOnce: page.isExclusivelyMapped,
      isLarge: isTail || page.pageFlags >> 15 & 1 == 1)
  }

  private func backing(_ vma: SnapshotVMA) -> VMABacking {
    switch vma.kind {
    case .hugetlb: .hugetlb
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
