// SPDX-License-Identifier: GPL-2.0-only

import Capture
import Testing

@Suite("The text of /proc/PID/status")
struct ProcessStatusTests {
  private func bytes(_ text: String) -> UInt64? { ProcessStatus.pageTableBytes(in: Array(text.utf8)[...]) }

  @Test("VmPTE is told in kB, at the beginning of a line; a process that is gone has none")
  func pageTables() {
    #expect(bytes("Name:\tcat\nVmSwap:\t       8 kB\nVmPTE:\t      52 kB\nVmExe:\t       4 kB\n") == 52 << 10)
    #expect(bytes("Name:\tVmPTE: 7 kB\nVmPTE:\t       0 kB\n") == 0)
    #expect(bytes("Name:\tcat\nState:\tZ (zombie)\n") == nil)
    #expect(bytes("VmPTE:\t many kB\n") == nil && bytes("VmPTE:\t 99999999999999999 kB\n") == nil)
  }
}
