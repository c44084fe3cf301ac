// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

extension VirtualPage {
  func address(pageShift: UInt8) -> String { "0x" + String(rawValue << UInt64(pageShift), radix: 16) }
}
