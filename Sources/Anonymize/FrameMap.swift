// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Which page frame is said instead.
///
/// Blocks of the largest order of the buddy allocator (`MAX_PAGE_ORDER`) change places: a folio stays in one piece and
/// aligned. Each stays in its zone by address: what lies below 16 MiB, where frame 0 is no frame, stays where it is, the
/// rest below 4 GiB among itself, and so does what lies above.
struct FrameMap {
  /// By block, as far as the capture names them.
  private var targets: [UInt64: UInt64] = [:]
  private let shift: UInt64

  /// What no machine has is none, and stays none.
  static let end = PFN.end.rawValue

  init(_ survey: FrameSurvey, secret: Secret) {
    shift = survey.shift
    let blockBytes = survey.pageSize << shift
    let low = max(1, (16 << 20) / blockBytes)
    let middle = max(low, (4 << 30) / blockBytes)
    // The size of the machine's memory, roughly, so that captures of one machine are permuted alike.
    let blocks = Self.powerOfTwo(above: survey.blocks.max() ?? 0)
    let zones = [
      Permutation(low..<max(low, min(middle, blocks)), secret), Permutation(middle..<max(middle, blocks), secret),
    ]
    for block in survey.blocks {
      targets[block] = zones.first { $0.range.contains(block) }?.place(of: block) ?? block
    }
  }

  func frame(_ frame: UInt64) -> UInt64 {
    guard let block = targets[frame >> shift] else { return frame < Self.end ? 0 : frame < 1 << 52 ? Self.end : .max }
    return block << shift | frame & (1 << shift - 1)
  }

  private static func powerOfTwo(above number: UInt64) -> UInt64 {
    number == 0 ? 1 : 1 << (64 - UInt64(number.leadingZeroBitCount))
  }
}

/// Which blocks of frames a capture names.
struct FrameSurvey {
  private(set) var blocks: Set<UInt64> = []
  let pageSize: UInt64
  /// log2 of the frames of a block: 4 MiB of small pages, 32 of 16 KiB, 512 of 64 KiB.
  let shift: UInt64

  init(pageSize: Int) {
    self.pageSize = UInt64(pageSize)
    shift = pageSize >= 65536 ? 13 : pageSize >= 16384 ? 11 : 10
  }

  mutating func note(_ frame: UInt64) { if frame < FrameMap.end { blocks.insert(frame >> shift) } }
}

/// A permutation of a range by a secret, a number at a time: a Feistel network over the next power of four, gone round
/// until it comes back into the range.
private struct Permutation {
  let range: Range<UInt64>
  private let secret: Secret
  private let halfBits: UInt64

  init(_ range: Range<UInt64>, _ secret: Secret) {
    (self.range, self.secret) = (range, secret)
    let bits = 64 - UInt64(UInt64(max(range.count, 2) - 1).leadingZeroBitCount)
    halfBits = (bits + 1) / 2
  }

  func place(of number: UInt64) -> UInt64 {
    var place = number - range.lowerBound
    repeat { place = network(place) } while place >= UInt64(range.count)
    return place + range.lowerBound
  }

  private func network(_ number: UInt64) -> UInt64 {
    let mask = (UInt64(1) << halfBits) - 1
    var (left, right) = (number >> halfBits, number & mask)
    for round in 0..<8 {
      let mixed = secret.hash("frames from \(range.lowerBound), round \(round)", String(right))
      (left, right) = (right, left ^ mixed & mask)
    }
    return left << halfBits | right
  }
}
