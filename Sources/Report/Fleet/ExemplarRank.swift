// SPDX-License-Identifier: GPL-2.0-only

/// Which of several instances stands for all: the one with the smallest hash. Merging in any order leaves the same one,
/// and it is not always that of the same capture.
struct ExemplarRank: Comparable {
  private let hash: UInt64
  /// Where hashes meet.
  private let words: [String]

  /// - Parameter words: What tells the instance from all others, the capture among it.
  init(_ words: String...) {
    self.words = words
    // FNV-1a, then the finalizer of MurmurHash3: the low bits alone of FNV would do for a table, not for an order.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for word in words {
      for byte in word.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
      hash = (hash ^ 0xff) &* 0x0000_0100_0000_01b3
    }
    hash = (hash ^ hash >> 33) &* 0xff51_afd7_ed55_8ccd
    hash = (hash ^ hash >> 33) &* 0xc4ce_b9fe_1a85_ec53
    self.hash = hash ^ hash >> 33
  }

  static func < (a: ExemplarRank, b: ExemplarRank) -> Bool {
    a.hash != b.hash ? a.hash < b.hash : a.words.lexicographicallyPrecedes(b.words)
  }
}
