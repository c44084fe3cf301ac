// SPDX-License-Identifier: GPL-2.0-only

import TraceFile

/// Snapshots with other addresses, frames and names.
struct SnapshotRewriter {
  let addresses: AddressMap
  let frames: FrameMap
  let names: Pseudonyms
  let pageSize: UInt64

  func rewritten(_ old: Snapshot) -> Snapshot {
    Snapshot(
      index: old.index, pid: old.pid, processStartTime: old.processStartTime, beginTime: old.beginTime,
      endTime: old.endTime, wasFrozen: old.wasFrozen, pageTableBytes: old.pageTableBytes, vmas: old.vmas.map(vma),
      pages: old.pages.map(page))
  }

  /// Which file is mapped and from where is nobody's business; its name tells which mappings are of one.
  private func vma(_ old: SnapshotVMA) -> SnapshotVMA {
    SnapshotVMA(
      start: addresses.address(old.start), end: addresses.end(old.end), isReadable: old.isReadable,
      isWritable: old.isWritable, isExecutable: old.isExecutable, isShared: old.isShared, kind: old.kind, offset: 0,
      device: 0, inode: 0, name: names.mapping(old.name))
  }

  private func page(_ old: SnapshotPage) -> SnapshotPage {
    // Bits 55 and up say what is there; below is the frame, or the place in swap.
    let bits: UInt64 = (1 << 55) - 1
    let (address, overflow) = old.virtualPage.multipliedReportingOverflow(by: pageSize)
    return SnapshotPage(
      virtualPage: overflow ? 0 : addresses.address(address) / pageSize,
      pagemap: old.pagemap & ~bits | (old.isPresent ? frames.frame(old.pfn) & bits : 0), pageFlags: old.pageFlags)
  }
}
