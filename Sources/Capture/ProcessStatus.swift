// SPDX-License-Identifier: GPL-2.0-only

/// The text of `/proc/PID/status`.
package enum ProcessStatus {
  private static let label = Array("VmPTE:".utf8)

  /// `VmPTE`, which is told in kB: `mm_pgtables_bytes`. `nil` where there is no such line: a process that is gone has no
  /// memory left.
  package static func pageTableBytes(in text: ArraySlice<UInt8>) -> UInt64? {
    var rest = text
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      let line = rest[..<end]
      rest = rest[(end + 1)...]
      guard line.starts(with: label) else { continue }
      let digits = line.dropFirst(label.count).drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }.prefix {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
      }
      // More than 2^54 kB is no number of bytes.
      return UInt64(String(decoding: digits, as: UTF8.self)).flatMap { $0 < 1 << 54 ? $0 * 1024 : nil }
    }
    return nil
  }
}
