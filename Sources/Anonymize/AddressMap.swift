// SPDX-License-Identifier: GPL-2.0-only

/// Where user memory is said to be instead.
///
/// One map for the whole capture, because a page has one address for all who share it by fork, and migration events name
/// an address and no process. It moves pieces of 1 GiB, the reach of a table of PMDs, and keeps their order. Pieces that
/// are used side by side, or that one mapping covers, stay side by side; what lies in one 512 GiB, under one table of
/// PUDs, stays in one, and what does not, does not. So each table of any level has the entries that it had, and every
/// range what it covered, while the distances between regions, and their places, are new. The first 4 GiB stay where they
/// are: 0 is no address, and what is mapped there is not at random.
struct AddressMap {
  /// Pieces side by side, closed, and the first one's new place.
  struct Run: Equatable {
    var first: UInt64
    var last: UInt64
    var target: UInt64
  }

  private let runs: [Run]
  private let pageMask: UInt64

  static let blockShift: UInt64 = 30
  /// Pieces under a table of PUDs.
  private static let slot: UInt64 = 512
  /// No user has an address from here on: five levels of tables reach this far.
  static let userEnd: UInt64 = 1 << 56
  private static let fixedBlocks: UInt64 = 4
  /// x86's page of time, at the same place everywhere.
  private static let vsyscall: ClosedRange<UInt64> = 0xffff_ffff_ff60_0000...0xffff_ffff_ff60_1000

  init(_ survey: AddressSurvey, pageSize: Int, secret: Secret) {
    pageMask = UInt64(pageSize) - 1
    runs = Self.place(survey.runs(with: 0...(Self.fixedBlocks - 1)), secret.generator("addresses"))
  }

  /// `pageSize` is a power of two; runs that are known.
  init(runs: [Run], pageSize: Int) { (self.runs, pageMask) = (runs, UInt64(pageSize) - 1) }

  // — looking up

  /// The new address; of what is nobody's memory, only that it is not, and the place in the page.
  func address(_ address: UInt64) -> UInt64 {
    guard address < Self.userEnd else {
      if address == .max || Self.vsyscall.contains(address) { return address }
      return (address >> 63 == 1 ? 1 << 63 : 1 << 62) | address & pageMask
    }
    let block = address >> Self.blockShift
    var (low, high) = (0, runs.count)
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].last < block { low = middle + 1 } else { high = middle }
    }
    guard low < runs.count, runs[low].first <= block else { return address & pageMask }
    return address &- (runs[low].first << Self.blockShift) &+ (runs[low].target << Self.blockShift)
  }

  /// The page of an address, as an address.
  func page(_ address: UInt64) -> UInt64 { self.address(address) & ~pageMask }

  /// The new address of what is one past a range's last byte.
  func end(_ end: UInt64) -> UInt64 { end == 0 ? 0 : address(end - 1) &+ 1 }

  /// The new length of a range: the range covers what it covered.
  func length(from start: UInt64, _ length: UInt64) -> UInt64 {
    let (end, overflow) = start.addingReportingOverflow(length)
    guard length > 0, !overflow, end <= Self.userEnd else { return length }
    return self.end(end) &- address(start)
  }

  // — placing

  private static func slot(_ block: UInt64) -> UInt64 { block / slot }

  /// Runs whose neighbours share a table of PUDs.
  private struct Cluster {
    var runs: [Run]
    var firstSlot: UInt64 { AddressMap.slot(runs[0].first) }
    var lastSlot: UInt64 { AddressMap.slot(runs[runs.count - 1].last) }
    var isFixed: Bool { runs[0].first < AddressMap.fixedBlocks }
  }

  private static func place(_ runs: [Run], _ generator: Secret.Generator) -> [Run] {
    var generator = generator
    var clusters: [Cluster] = []
    for run in runs {
      if let last = clusters.last, last.lastSlot == slot(run.first) {
        clusters[clusters.count - 1].runs.append(run)
      } else {
        clusters.append(Cluster(runs: [run]))
      }
    }
    // The tables that all addresses seen need: 39, 42, 47, 48 bits; more only with five levels, which stay.
    let used = clusters.last?.lastSlot ?? 0
    let limit: UInt64 = [1, 8, 256, 512].first { used < $0 } ?? 256
    let moving = clusters.filter { !$0.isFixed && $0.lastSlot < limit }
    let fixed = clusters.first { $0.isFixed }.map { $0.lastSlot + 1 } ?? 0
    let widths = moving.map { $0.lastSlot - $0.firstSlot + 1 }
    let slots = spread(widths, over: fixed..<limit, &generator)
    var next = 0
    return clusters.flatMap { cluster in
      var slot = cluster.firstSlot
      if !cluster.isFixed, cluster.lastSlot < limit {
        slot = slots[next]
        next += 1
      }
      return placed(cluster, atSlot: slot, &generator)
    }
  }

  /// Within the 512 GiB of a table the runs are spread anew; where they reach over its end, they stay as they are.
  private static func placed(_ cluster: Cluster, atSlot target: UInt64, _ generator: inout Secret.Generator) -> [Run] {
    let base = target * slot
    guard cluster.firstSlot == cluster.lastSlot else {
      let moved = base &- cluster.firstSlot * slot
      return cluster.runs.map { Run(first: $0.first, last: $0.last, target: $0.first &+ moved) }
    }
    let free = cluster.isFixed ? Array(cluster.runs.dropFirst()) : cluster.runs
    let start = cluster.isFixed ? cluster.runs[0].last + 2 : base
    // One piece between two runs: they were none.
    let widths = free.enumerated().map { $1.last - $1.first + 1 + ($0 + 1 < free.count ? 1 : 0) }
    let places = spread(widths, over: start..<max(start, base + slot), &generator)
    var runs = cluster.runs
    if cluster.isFixed { runs[0].target = runs[0].first }
    for (index, place) in places.enumerated() { runs[index + (cluster.isFixed ? 1 : 0)].target = place }
    return runs
  }

  /// Places for things of these widths, in their order, the room that is left between them divided at random.
  private static func spread(
    _ widths: [UInt64], over room: Range<UInt64>, _ generator: inout Secret.Generator
  ) -> [UInt64] {
    let taken = widths.reduce(0, +)
    let slack = UInt64(room.count) >= taken ? UInt64(room.count) - taken : 0
    let gaps = widths.map { _ in UInt64.random(in: 0...slack, using: &generator) }.sorted()
    var before: UInt64 = 0
    return zip(widths, gaps).map { width, gap in
      defer { before += width }
      return room.lowerBound + before + gap
    }
  }
}

/// Which pieces of the address space a capture names.
struct AddressSurvey {
  private var touched: Set<UInt64> = []
  private var covered: Set<ClosedRange<UInt64>> = []

  mutating func note(_ address: UInt64) {
    if address < AddressMap.userEnd { touched.insert(address >> AddressMap.blockShift) }
  }

  /// A range of which only the ends matter: what is in it is named elsewhere.
  mutating func note(from start: UInt64, _ length: UInt64) {
    note(start)
    let (end, overflow) = start.addingReportingOverflow(length)
    if length > 0, !overflow { note(end - 1) }
  }

  /// One mapping: it stays in one piece.
  mutating func cover(from start: UInt64, to last: UInt64) {
    guard start <= last, last < AddressMap.userEnd else { return }
    covered.insert((start >> AddressMap.blockShift)...(last >> AddressMap.blockShift))
  }

  mutating func cover(from start: UInt64, _ length: UInt64) {
    let (end, overflow) = start.addingReportingOverflow(length)
    if length > 0, !overflow { cover(from: start, to: end - 1) }
  }

  /// All of them, and `fixed`, put together where they touch.
  func runs(with fixed: ClosedRange<UInt64>) -> [AddressMap.Run] {
    let all = touched.map { $0...$0 } + covered + [fixed]
    var runs: [AddressMap.Run] = []
    for range in all.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = runs.last, range.lowerBound <= last.last + 1 {
        runs[runs.count - 1].last = max(last.last, range.upperBound)
      } else {
        runs.append(.init(first: range.lowerBound, last: range.upperBound, target: range.lowerBound))
      }
    }
    return runs
  }
}
