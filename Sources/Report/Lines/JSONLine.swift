// SPDX-License-Identifier: GPL-2.0-only

import FoundationEssentials

/// One object on one line with its keys sorted, so that equal objects are equal bytes.
enum JSONLine {
  static func encode(_ object: some Encodable) throws(ReportError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return Array(try encoder.encode(object)) + [0x0a]
    } catch {
      throw .notEncodable("\(error)")
    }
  }
}
