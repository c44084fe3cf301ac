// SPDX-License-Identifier: GPL-2.0-only

/// Little-endian bytes of a file format, built in memory.
struct ByteWriter {
  private(set) var bytes: [UInt8] = []

  mutating func append<T: FixedWidthInteger>(_ value: T) {
    unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
  }

  mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  mutating func append(raw: [UInt8]) { bytes.append(contentsOf: raw) }

  mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }
}
