// SPDX-License-Identifier: GPL-2.0-only

/// What one process's memory looked like when the collector read /proc/PID/{maps,pagemap} and /proc/kpageflags.
package struct Snapshot: Equatable, Sendable {
  /// Number of the snapshot in the capture; the markers in the trace that bracket the reading carry it.
  package var index: UInt32
  package var pid: Int32
  /// Field 22 of /proc/PID/stat, in clock ticks since boot: tells a process from a later one of the same pid.
  package var processStartTime: UInt64
  /// Nanoseconds of the file's clock before the first and after the last read. The process may run in between.
  package var beginTime: UInt64
  package var endTime: UInt64
  /// The process was stopped while it was read.
  package var wasFrozen: Bool
  /// `VmPTE` of /proc/PID/status in bytes: page tables of all levels but the top one (`mm_pgtables_bytes`). `nil` where it
  /// was not read, as before version 2 of the file.
  package var pageTableBytes: UInt64?
  /// VMAs in order of address.
  package var vmas: [SnapshotVMA]
  /// Pages that were present or swapped, in order of address.
  package var pages: [SnapshotPage]

  package init(
    index: UInt32, pid: Int32, processStartTime: UInt64, beginTime: UInt64, endTime: UInt64, wasFrozen: Bool,
    pageTableBytes: UInt64? = nil, vmas: [SnapshotVMA], pages: [SnapshotPage]
  ) {
    self.index = index
    self.pid = pid
    self.processStartTime = processStartTime
    self.beginTime = beginTime
    self.endTime = endTime
    self.wasFrozen = wasFrozen
    self.pageTableBytes = pageTableBytes
    self.vmas = vmas
    self.pages = pages
  }
}

/// One entry of a page table as /proc shows it.
package struct SnapshotPage: Equatable, Sendable, BitwiseCopyable {
  /// Virtual address / page size.
  package var virtualPage: UInt64
  /// The word of /proc/PID/pagemap.
  package var pagemap: UInt64
  /// The word of /proc/kpageflags for the page's PFN; 0 for a swapped page.
  package var pageFlags: UInt64

  package init(virtualPage: UInt64, pagemap: UInt64, pageFlags: UInt64) {
    self.virtualPage = virtualPage
    self.pagemap = pagemap
    self.pageFlags = pageFlags
  }

  /// Bit 63: mapped.
  package var isPresent: Bool { pagemap >> 63 & 1 == 1 }
  /// Bit 62: swapped out, or a migration entry.
  package var isSwapped: Bool { pagemap >> 62 & 1 == 1 }
  /// Bit 61: page-table entry belongs to a file page or shared anonymous memory.
  package var isFileOrShared: Bool { pagemap >> 61 & 1 == 1 }
  /// Bit 56: mapped once only.
  package var isExclusivelyMapped: Bool { pagemap >> 56 & 1 == 1 }
  /// Bits 0...54 of a present page; 0 when the reader was not privileged.
  package var pfn: UInt64 { isPresent ? pagemap & 0x7f_ffff_ffff_ffff : 0 }
}

/// One line of /proc/PID/maps.
package struct SnapshotVMA: Equatable, Sendable {
  package enum Kind: UInt8, Sendable, CaseIterable {
    /// No name, or `[anon:...]`: private anonymous memory.
    case anonymous
    case file
    case heap
    case stack
    /// `[vdso]`, `[vvar]`, `[vsyscall]`, ...: mapped by the kernel.
    case special
    /// Shared anonymous memory, memfd, System V: shmem without a file anybody can open.
    case shmem
    /// A file on hugetlbfs, or anonymous memory with `MAP_HUGETLB`.
    case hugetlb
  }

  package var start: UInt64
  /// One past the last byte.
  package var end: UInt64
  package var isReadable: Bool
  package var isWritable: Bool
  package var isExecutable: Bool
  /// `s` in the permissions: `MAP_SHARED`.
  package var isShared: Bool
  package var kind: Kind
  /// In the file, in bytes.
  package var offset: UInt64
  /// Major << 32 | minor.
  package var device: UInt64
  package var inode: UInt64
  package var name: String

  package init(
    start: UInt64, end: UInt64, isReadable: Bool, isWritable: Bool, isExecutable: Bool, isShared: Bool, kind: Kind,
    offset: UInt64, device: UInt64, inode: UInt64, name: String
  ) {
    self.start = start
    self.end = end
    self.isReadable = isReadable
    self.isWritable = isWritable
    self.isExecutable = isExecutable
    self.isShared = isShared
    self.kind = kind
    self.offset = offset
    self.device = device
    self.inode = inode
    self.name = name
  }

  /// Reads one line of /proc/PID/maps, such as
  /// `7f2c1a000000-7f2c1a021000 rw-p 00001000 fe:01 1234      /usr/lib/libc.so.6`; `nil` when it is none.
  package init?(mapsLine line: some StringProtocol) {
    let parts = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
    guard parts.count >= 5 else { return nil }
    let bounds = parts[0].split(separator: "-")
    let permissions = Array(parts[1].utf8)
    let device = parts[3].split(separator: ":")
    guard bounds.count == 2, let start = UInt64(bounds[0], radix: 16), let end = UInt64(bounds[1], radix: 16),
      start < end, permissions.count == 4, let offset = UInt64(parts[2], radix: 16), device.count == 2,
      let major = UInt64(device[0], radix: 16), let minor = UInt64(device[1], radix: 16), let inode = UInt64(parts[4])
    else { return nil }
    let name = parts.count == 6 ? String(parts[5].drop { $0 == " " }) : ""
    let isShared = permissions[3] == UInt8(ascii: "s")
    self.init(
      start: start, end: end, isReadable: permissions[0] == UInt8(ascii: "r"),
      isWritable: permissions[1] == UInt8(ascii: "w"), isExecutable: permissions[2] == UInt8(ascii: "x"),
      isShared: isShared, kind: Self.kind(name: name, isShared: isShared, inode: inode), offset: offset,
      device: major << 32 | minor, inode: inode, name: name)
  }

  private static func kind(name: String, isShared: Bool, inode: UInt64) -> Kind {
    if name == "[heap]" { return .heap }
    if name.hasPrefix("[stack") { return .stack }
    if name.hasPrefix("/anon_hugepage") || name.hasPrefix("/dev/hugepages/") { return .hugetlb }
    if name.hasPrefix("/memfd:") || name.hasPrefix("/SYSV") || name.hasPrefix("/dev/zero")
      || name.hasPrefix("[anon_shmem:")
    {
      return .shmem
    }
    if name.hasPrefix("[anon:") { return .anonymous }
    if name.hasPrefix("[") { return .special }
    return name.isEmpty && inode == 0 ? .anonymous : .file
  }
}
