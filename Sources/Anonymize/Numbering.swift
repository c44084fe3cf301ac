// SPDX-License-Identifier: GPL-2.0-only

/// Numbers instead of kernel addresses and hashes of them, by the order in which they are met. 0 stays.
struct Numbering {
  private var numbers: [UInt64: UInt64] = [:]
  private let make: @Sendable (UInt64) -> UInt64

  /// What says `make` of 1, 2, 3...
  private init(_ make: @escaping @Sendable (UInt64) -> UInt64) { self.make = make }

  /// In the kernel's half, where they are looked for.
  static var pointers: Numbering { Numbering { 0xffff_8000_0000_0000 + $0 << 12 } }

  static var hashes: Numbering { Numbering { $0 } }

  mutating func note(_ value: UInt64) {
    if value != 0, numbers[value] == nil { numbers[value] = UInt64(numbers.count + 1) }
  }

  /// 0 for what was not noted.
  subscript(value: UInt64) -> UInt64 { numbers[value].map(make) ?? 0 }
}
