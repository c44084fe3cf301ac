// SPDX-License-Identifier: GPL-2.0-only

import Capture
import Foundation
import TestSupport
import Testing
import TraceFile

/// One run each of what `tools/faults` does in dozens.
@Suite("Faults, on this host", .serialized, LiveHost.requirement)
struct FaultsLiveTests {
  @Test(
    "Whatever happens to a recorder, nothing is left behind and nothing is wrong",
    arguments: ["same-name", "pid-namespace", "full-disk", "file-size", "descriptors", "streams", "user"])
  func fault(name: String) throws {
    let work = try Scratch()
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../tools/faults").standardizedFileURL.path
    let command = [
      "env", "COWSCOPE=\(try LiveHost.binary())", "TMPDIR=\(work.url.path)", script, "--runs", "1", name,
    ]
    let status = try LiveHost.run(command, in: work).wait()
    let complaints = try work.read("stderr")
    #expect(status == .exited(code: 0), "\(complaints)")
  }
}
