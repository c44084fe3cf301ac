// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay
import TraceFile

/// The snapshots of a capture directory in the words of the model.
struct CapturedSnapshots: SnapshotSource {
  private let file: SnapshotFile?
  private let positions: [UInt32: Int]
  private let pageShift: UInt64
  private let showsHeadOnly: Bool

  init(_ reader: TraceReader) throws {
    pageShift = UInt64(reader.pageSize.trailingZeroBitCount)
    showsHeadOnly = reader.release.flatMap(KernelFacts.forRelease)?.pageFlagsShowHeadOnly ?? true
    guard let path = reader.capture?.directory.snapshotPath, (reader.capture?.manifest?.snapshotCount ?? 0) > 0 else {
      file = nil
      positions = [:]
      return
    }
    let file = try SnapshotFile.open(path)
    var positions: [UInt32: Int] = [:]
    for position in 0..<file.count { positions[try file.snapshot(at: position).index] = position }
    self.file = file
    self.positions = positions
  }

  func snapshot(_ index: UInt32) -> ProcessSnapshot? {
    guard let file, let position = positions[index], let snapshot = try? file.snapshot(at: position) else { return nil }
    return ProcessSnapshot(
      vmas: snapshot.vmas.map { vma in
        ProcessSnapshot.VMA(
          range: PageRange(start: VirtualPage(vma.start >> pageShift), end: VirtualPage(vma.end >> pageShift)),
          facts: VMAFacts(backing: vma.backing, protection: vma.protection))
      },
      anonymous: snapshot.pages.compactMap(page))
  }

  private func page(_ page: SnapshotPage) -> ProcessSnapshot.Page? {
    guard page.isPresent, !page.isFileOrShared, KernelPageFlags.isNormalAnonymous(page.pageFlags) else { return nil }
    let isExact = !showsHeadOnly || !KernelPageFlags.isTail(page.pageFlags)
    return ProcessSnapshot.Page(
      page: VirtualPage(page.virtualPage), pfn: PFN(page.pfn),
      exclusive: isExact ? KernelPageFlags.isExclusive(page.pageFlags) : nil)
  }
}

/// Bits of `/proc/kpageflags` (`include/uapi/linux/kernel-page-flags.h`).
private enum KernelPageFlags {
  private static let anonymous: UInt64 = 1 << 12
  private static let tail: UInt64 = 1 << 16
  private static let ksm: UInt64 = 1 << 21
  private static let zeroPage: UInt64 = 1 << 24
  /// `KPF_OWNER_2`: on an anonymous page PG_anon_exclusive.
  private static let exclusive: UInt64 = 1 << 34

  /// 6.12 sets the KSM bit on every anonymous page, so it cannot exclude one; a KSM page is never exclusive anyway.
  static func isNormalAnonymous(_ flags: UInt64) -> Bool { flags & anonymous != 0 && flags & zeroPage == 0 }

  static func isTail(_ flags: UInt64) -> Bool { flags & tail != 0 }
  static func isExclusive(_ flags: UInt64) -> Bool { flags & exclusive != 0 }
}

extension SnapshotVMA {
  fileprivate var backing: VMABacking {
    if isShared { return .shared }
    return switch kind {
    case .anonymous, .heap, .stack: .anonymous
    case .file, .shmem: .privateFile
    case .special: .loader
    case .hugetlb: .hugetlb
    }
  }

  fileprivate var protection: VMAProtection {
    var protection: VMAProtection = []
    if isReadable { protection.insert(.read) }
    if isWritable { protection.insert(.write) }
    if isExecutable { protection.insert(.execute) }
    return protection
  }
}
