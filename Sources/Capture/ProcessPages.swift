// SPDX-License-Identifier: GPL-2.0-only

internal import CTraceFS
internal import Glibc
internal import SystemPackage

/// Pages `firstPage ..< firstPage + count` of a process, whose values stand at `offset` in the arrays of
/// `ProcessPages`.
struct PageRun: Equatable {
  var firstPage: UInt64
  var offset: Int
  var count: Int
}

/// What procfs shows of one process's pages: `maps`, `pagemap`, the `kpageflags` of the present ones, and how much its
/// page tables take.
///
/// The arrays are kept from one snapshot to the next: the thread that fills them is traced itself (so that its reading
/// of `pagemap` names the mm), and should not add page faults of its own.
struct ProcessPages {
  private(set) var maps: [UInt8] = []
  /// Runs of pages that are not `pte_none`, ascending.
  private(set) var runs: [PageRun] = []
  /// The pagemap words of all runs, one after the other.
  private(set) var pagemap: [UInt64] = []
  /// Beside each pagemap word: the kpageflags word of its frame; 0 for a page that is not present.
  private(set) var flags: [UInt64] = []
  /// `VmPTE` in bytes.
  private(set) var pageTableBytes: UInt64?

  static let flagsPath = "/proc/kpageflags"

  private let pageSize: UInt64
  private let kpageflags: FileDescriptor
  private var ranges: [(start: UInt64, end: UInt64)] = []
  private var populated: [(start: UInt64, end: UInt64)] = []
  private var frames: [(frame: UInt64, index: Int)] = []
  private var words: [UInt64]
  private var text: [UInt8]
  private var regions: [pagemap_region]
  private var hasPagemapScan = true

  /// VMAs above this many pages are first asked which of their ranges hold anything (`PAGEMAP_SCAN`, Linux 6.7).
  private static let scanThreshold: UInt64 = 4096
  /// Reading a few unneeded kpageflags words is cheaper than another `pread`.
  private static let frameGap: UInt64 = 4

  init(pageSize: Int) throws(CaptureError) {
    self.pageSize = UInt64(pageSize)
    kpageflags = try KernelText.open(Self.flagsPath, .readOnly, doing: "read")
    words = [UInt64](repeating: 0, count: 1 << 17)
    text = [UInt8](repeating: 0, count: 256 << 10)
    regions = [pagemap_region](repeating: pagemap_region(), count: 1024)
    maps.reserveCapacity(256 << 10)
    pagemap.reserveCapacity(1 << 16)
    flags.reserveCapacity(1 << 16)
    frames.reserveCapacity(1 << 16)
    runs.reserveCapacity(1024)
  }

  func close() { KernelText.closeQuietly(kpageflags) }

  /// Reads the process. Throws when it is gone; a process that goes while being read leaves what was read.
  mutating func read(pid: Int32) throws(CaptureError) {
    runs.removeAll(keepingCapacity: true)
    pagemap.removeAll(keepingCapacity: true)
    flags.removeAll(keepingCapacity: true)
    try readMaps("/proc/\(pid)/maps")
    pageTableBytes = readPageTableBytes("/proc/\(pid)/status")
    let path = "/proc/\(pid)/pagemap"
    let descriptor = try KernelText.open(path, .readOnly, doing: "read")
    defer { KernelText.closeQuietly(descriptor) }
    for range in ranges {
      populated.removeAll(keepingCapacity: true)
      if !(range.end - range.start > Self.scanThreshold * pageSize && scan(descriptor, range)) {
        populated.append(range)
      }
      for part in populated {
        if try !readPagemap(descriptor, path, part) { return try readFlags() }
      }
    }
    try readFlags()
  }

  private mutating func readMaps(_ path: String) throws(CaptureError) {
    maps.removeAll(keepingCapacity: true)
    let descriptor = try KernelText.open(path, .readOnly, doing: "read")
    defer { KernelText.closeQuietly(descriptor) }
    while true {
      do {
        let count = unsafe try text.withUnsafeMutableBytes { unsafe try descriptor.read(into: $0) }
        if count == 0 { break }
        maps.append(contentsOf: text[..<count])
      } catch {
        throw .file(path: path, doing: "read", KernelText.errno(error))
      }
    }
    MemoryMaps.ranges(in: maps, into: &ranges)
  }

  /// `nil` when the process is gone.
  private mutating func readPageTableBytes(_ path: String) -> UInt64? {
    guard let descriptor = try? KernelText.open(path, .readOnly, doing: "read") else { return nil }
    defer { KernelText.closeQuietly(descriptor) }
    // A page or so, given out by one read.
    guard let count = unsafe try? text.withUnsafeMutableBytes({ unsafe try descriptor.read(into: $0) }) else {
      return nil
    }
    return ProcessStatus.pageTableBytes(in: text[..<count])
  }

  /// Finds the parts of a large VMA that hold anything. False when this kernel has no `PAGEMAP_SCAN`.
  private mutating func scan(_ descriptor: FileDescriptor, _ range: (start: UInt64, end: UInt64)) -> Bool {
    guard hasPagemapScan else { return false }
    var argument = pagemap_scan_argument()
    argument.start = range.start
    argument.end = range.end
    // PAGE_IS_PRESENT | PAGE_IS_SWAPPED; markers count as swapped.
    argument.category_anyof_mask = 1 << 3 | 1 << 4
    argument.return_mask = argument.category_anyof_mask
    while argument.start < range.end {
      let found = unsafe pagemap_scan(descriptor.rawValue, &argument, &regions, regions.count)
      guard found >= 0 else {
        hasPagemapScan = Glibc.errno != ENOTTY && Glibc.errno != EINVAL
        populated.removeAll(keepingCapacity: true)
        return false
      }
      for region in regions[..<Int(found)] {
        // Regions that touch differ only in category.
        if let last = populated.last, last.end == region.start {
          populated[populated.count - 1].end = region.end
        } else {
          populated.append((region.start, region.end))
        }
      }
      if argument.walk_end <= argument.start { break }
      argument.start = argument.walk_end
    }
    return true
  }

  /// Reads the pagemap words of a range and appends those that are not zero. False when the process is gone.
  private mutating func readPagemap(
    _ descriptor: FileDescriptor, _ path: String, _ range: (start: UInt64, end: UInt64)
  ) throws(CaptureError) -> Bool {
    var page = range.start / pageSize
    let end = range.end / pageSize
    while page < end {
      let wanted = Int(min(end - page, UInt64(words.count)))
      let count: Int
      do {
        let offset = Int64(page * 8)
        count = unsafe try words.withUnsafeMutableBytes {
          unsafe try descriptor.read(
            fromAbsoluteOffset: offset, into: UnsafeMutableRawBufferPointer(rebasing: $0[..<(wanted * 8)]))
        }
      } catch {
        throw .file(path: path, doing: "read", KernelText.errno(error))
      }
      // End of file: the mm is gone.
      if count < 8 { return false }
      for index in 0..<(count / 8) where words[index] & ~Self.vmaBits != 0 {
        append(page + UInt64(index), words[index])
      }
      page += UInt64(count / 8)
    }
    return true
  }

  /// Bit 55 (soft-dirty) is set on empty entries of a `VM_SOFTDIRTY` VMA: it says nothing about the page.
  private static let vmaBits: UInt64 = 1 << 55

  private mutating func append(_ page: UInt64, _ word: UInt64) {
    if let last = runs.last, last.firstPage + UInt64(last.count) == page {
      runs[runs.count - 1].count += 1
    } else {
      runs.append(PageRun(firstPage: page, offset: pagemap.count, count: 1))
    }
    pagemap.append(word)
  }

  private static let present: UInt64 = 1 << 63
  private static let frameMask: UInt64 = (1 << 55) - 1

  /// Reads the flags of all frames in ascending order, neighbours in one call.
  private mutating func readFlags() throws(CaptureError) {
    frames.removeAll(keepingCapacity: true)
    for (index, word) in pagemap.enumerated() where word & Self.present != 0 && word & Self.frameMask != 0 {
      frames.append((word & Self.frameMask, index))
    }
    frames.sort { $0.frame < $1.frame }
    flags.append(contentsOf: repeatElement(0, count: pagemap.count))
    var next = 0
    while next < frames.count {
      let first = frames[next].frame
      var end = next + 1
      while end < frames.count, frames[end].frame - frames[end - 1].frame <= Self.frameGap,
        frames[end].frame - first < UInt64(words.count)
      {
        end += 1
      }
      let wanted = Int(frames[end - 1].frame - first) + 1
      let count: Int
      do {
        count = unsafe try words.withUnsafeMutableBytes {
          unsafe try kpageflags.read(
            fromAbsoluteOffset: Int64(first * 8), into: UnsafeMutableRawBufferPointer(rebasing: $0[..<(wanted * 8)]))
        }
      } catch {
        throw .file(path: Self.flagsPath, doing: "read", KernelText.errno(error))
      }
      for frame in frames[next..<end] where Int(frame.frame - first) < count / 8 {
        flags[frame.index] = words[Int(frame.frame - first)]
      }
      next = end
    }
  }
}
