// SPDX-License-Identifier: GPL-2.0-only

/// Which page frame is said instead.
///
/// Blocks of the largest order of the buddy allocator (`MAX_PAGE_ORDER`) change places: a folio stays in one piece and
/// aligned. Each stays in its zone by address: what lies below 16 MiB, where frame 0 is no frame, stays where it is, the
/// rest below 4 GiB among itself, and so does what lies above.
struct FrameMap {
  /// By block; what lies beyond is no frame of this machine.
  private let targets: [UInt32]
  private let shift: UInt64

  /// No machine has frames from here on (`MAX_PHYSMEM_BITS` of x86 with four levels of page tables): such a number is
  /// none, and stays none.
  static let end: UInt64 = 1 << 34

  init(highest: UInt64, pageSize: Int, secret: Secret) {
    // 4 MiB of small pages, 32 of 16 KiB, 512 of 64 KiB.
    shift = pageSize >= 65536 ? 13 : pageSize >= 16384 ? 11 : 10
    let blockBytes = UInt64(pageSize) << shift
    let low = max(1, (16 << 20) / blockBytes)
    let middle = max(low, (4 << 30) / blockBytes)
    // The size of the machine's memory, roughly, so that captures of one machine are permuted alike.
    let blocks = Self.powerOfTwo(above: min(highest, Self.end - 1) >> shift)
    var targets = (0..<UInt32(blocks)).map { $0 }
    for zone in [low..<middle, middle..<max(middle, blocks)] {
      let zone = zone.clamped(to: 0..<blocks)
      var generator = secret.generator("frames from \(zone.lowerBound) to \(zone.upperBound)")
      targets[Int(zone.lowerBound)..<Int(zone.upperBound)].shuffle(using: &generator)
    }
    self.targets = targets
  }

  func frame(_ frame: UInt64) -> UInt64 {
    let block = frame >> shift
    guard block < UInt64(targets.count) else { return frame < Self.end ? 0 : frame < 1 << 52 ? Self.end : .max }
    return UInt64(targets[Int(block)]) << shift | frame & (1 << shift - 1)
  }

  private static func powerOfTwo(above number: UInt64) -> UInt64 {
    number == 0 ? 1 : 1 << (64 - UInt64(number.leadingZeroBitCount))
  }
}
