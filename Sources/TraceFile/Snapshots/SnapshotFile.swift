// SPDX-License-Identifier: GPL-2.0-only

internal import MMEvents

/// `snapshots.bin`: the snapshots of a capture, appended one by one. Little endian, no alignment.
///
///     file      "cowsnap\0"  u32 version = 2  u32 page size  16 bytes clock name, NUL padded
///     snapshot  u32 0x50414e53 ("SNAP")  u64 bytes that follow
///               u32 index  s32 pid  u64 process start time  u64 begin time  u64 end time  u8 frozen
///               u32 n, n VMAs
///               u32 n, n runs of neighbouring pages
///               u64 bytes of page tables, all ones where they are not known (since version 2)
///     VMA       u64 start  u64 end  u8 permissions (1 r, 2 w, 4 x, 8 shared)  u8 kind
///               u64 offset  u64 device  u64 inode  u16 length, name
///     run       u64 first virtual page  u32 n, n times {u64 pagemap  u64 kpageflags}
///
/// Each snapshot is appended by one write, so a killed recording leaves whole ones and at most one cut at the end: that
/// one is a `damage`, not an error.
package struct SnapshotFile: Sendable {
  static let magic: StaticString = "cowsnap\0"
  static let version: UInt32 = 2
  static let snapshotMagic: UInt32 = 0x5041_4e53
  static let clockBytes = 16

  private let version: UInt32
  package let pageSize: Int
  /// Clock of the begin and end times (`mono`, `boot`, ...).
  package let clock: String
  private let region: ByteRegion
  private let places: [Range<Int>]
  /// Why the file holds no more than `count` snapshots, when it should.
  package let damage: TraceFileError?

  /// Number of whole snapshots.
  package var count: Int { places.count }

  /// Finds the snapshots without reading them.
  package static func open(_ path: String) throws(TraceFileError) -> SnapshotFile {
    try SnapshotFile(region: try ByteRegion(mapping: path))
  }

  init(region: ByteRegion) throws(TraceFileError) {
    var cursor = ByteCursor(region, isBigEndian: false)
    guard cursor.skip(Self.magic) else { throw cursor.error(.malformed("beginning of the snapshots")) }
    version = try cursor.integer(UInt32.self, "the header")
    guard (1...Self.version).contains(version) else {
      throw cursor.error(.unsupported("version \(version) of the snapshots"))
    }
    pageSize = Int(try cursor.integer(UInt32.self, "the header"))
    guard CaptureManifest.isPageSize(pageSize) else { throw cursor.error(.badLength("page size", UInt64(pageSize))) }
    clock = String(region.text(try cursor.take(UInt64(Self.clockBytes), "the header")).prefix { $0 != "\0" })
    self.region = region
    var places: [Range<Int>] = []
    var damage: TraceFileError?
    do throws(TraceFileError) {
      while cursor.remaining > 0 {
        let what = "snapshot \(places.count)"
        guard try cursor.integer(UInt32.self, what) == Self.snapshotMagic else {
          throw cursor.error(.malformed("beginning of \(what)"))
        }
        places.append(try cursor.take(try cursor.integer(UInt64.self, what), what))
      }
    } catch {
      damage = error
    }
    self.places = places
    self.damage = damage
  }

  /// Reads the snapshot at this position in the file (not: of this `index`).
  package func snapshot(at position: Int) throws(TraceFileError) -> Snapshot {
    precondition(places.indices.contains(position), "snapshot \(position) of \(count)")
    let what = "snapshot \(position)"
    let pages = UInt64.max / UInt64(pageSize)
    var cursor = ByteCursor(region, range: places[position], isBigEndian: false)
    var snapshot = Snapshot(
      index: try cursor.integer(UInt32.self, what), pid: try cursor.integer(Int32.self, what),
      processStartTime: try cursor.integer(UInt64.self, what), beginTime: try cursor.integer(UInt64.self, what),
      endTime: try cursor.integer(UInt64.self, what), wasFrozen: try cursor.integer(UInt8.self, what) != 0, vmas: [],
      pages: [])
    for _ in 0..<(try cursor.integer(UInt32.self, what)) { snapshot.vmas.append(try Self.vma(&cursor, what)) }
    for _ in 0..<(try cursor.integer(UInt32.self, what)) {
      let first = try cursor.integer(UInt64.self, what)
      let count = try cursor.integer(UInt32.self, what)
      guard UInt64(count) * 16 <= UInt64(cursor.remaining), first <= pages, UInt64(count) <= pages - first else {
        throw cursor.error(.badLength("run of pages in \(what)", UInt64(count)))
      }
      for step in 0..<UInt64(count) {
        let page = SnapshotPage(
          virtualPage: first + step, pagemap: try cursor.integer(UInt64.self, what),
          pageFlags: try cursor.integer(UInt64.self, what))
        guard PFN(page.pfn) < .end else { throw cursor.error(.badLength("frame of a page in \(what)", page.pfn)) }
        snapshot.pages.append(page)
      }
    }
    if version >= 2 {
      let bytes = try cursor.integer(UInt64.self, what)
      snapshot.pageTableBytes = bytes == .max ? nil : bytes
    }
    guard cursor.remaining == 0 else { throw cursor.error(.badLength("rest of \(what)", UInt64(cursor.remaining))) }
    return snapshot
  }

  private static func vma(_ cursor: inout ByteCursor, _ what: String) throws(TraceFileError) -> SnapshotVMA {
    let start = try cursor.integer(UInt64.self, what)
    let end = try cursor.integer(UInt64.self, what)
    let permissions = try cursor.integer(UInt8.self, what)
    guard let kind = SnapshotVMA.Kind(rawValue: try cursor.integer(UInt8.self, what)) else {
      throw cursor.error(.malformed("kind of a VMA in \(what)"))
    }
    let offset = try cursor.integer(UInt64.self, what)
    let device = try cursor.integer(UInt64.self, what)
    let inode = try cursor.integer(UInt64.self, what)
    let name = try cursor.take(UInt64(try cursor.integer(UInt16.self, what)), what)
    return SnapshotVMA(
      start: start, end: end, isReadable: permissions & 1 != 0, isWritable: permissions & 2 != 0,
      isExecutable: permissions & 4 != 0, isShared: permissions & 8 != 0, kind: kind, offset: offset, device: device,
      inode: inode, name: cursor.region.text(name))
  }
}
