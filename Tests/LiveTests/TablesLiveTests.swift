// SPDX-License-Identifier: GPL-2.0-only

import Capture
import Foundation
import TestSupport
import Testing
import TraceFile

private let python = "/usr/bin/python3"

/// A program whose page tables are known by construction, looked at while it runs.
@Suite(
  "Page tables, on this host", .serialized, LiveHost.requirement,
  .enabled(if: FileManager.default.isExecutableFile(atPath: python)), .enabled(if: LiveHost.reclaimsTables))
struct TablesLiveTests {
  @Test("64 tables filled, 32 emptied in halves, 16 in one call, 8 filled again: VmPTE is the model's at every stage")
  func stages() throws {
    // What each stage leaves is there until two more snapshots were begun and written, however busy the host is. No exit
    // handlers: they would free memory of their own.
    let program = """
      import ctypes, os, time
      libc = ctypes.CDLL(None)
      libc.mmap.restype = ctypes.c_void_p
      size = 2 << 20
      memory = libc.mmap(None, ctypes.c_size_t(65 * size), 3, 0x4022, -1, ctypes.c_long(0))
      tables = [(memory + size - 1) // size * size + index * size for index in range(64)]
      def advise(start, length, how):
          assert libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(length), how) == 0
      advise(tables[0], 64 * size, 15)
      def stage():
          with open("/proc/self/status") as file:
              print(next(line for line in file if line.startswith("VmPTE")).split()[1], flush=True)
          for snapshot in range(2):
              size = os.stat("x.cow/snapshots.bin").st_size
              for wait in range(1000):
                  if os.stat("x.cow/snapshots.bin").st_size != size: break
                  time.sleep(0.02)
      stage()
      for table in tables:
          ctypes.memset(table, 1, 1)
          ctypes.memset(table + size // 2, 1, 1)
      stage()
      emptied = [time.monotonic()]
      for table in tables[:32]:
          advise(table, size // 2, 4)
          advise(table + size // 2, size // 2, 4)
      emptied.append(time.monotonic())
      stage()
      for table in tables[32:48]:
          advise(table, size, 4)
      stage()
      refilled = [time.monotonic()]
      for table in tables[:8]:
          ctypes.memset(table, 2, 1)
      refilled.append(time.monotonic())
      stage()
      print("between", int(1000 * (refilled[0] - emptied[1])), int(1000 * (refilled[1] - emptied[0])), flush=True)
      os._exit(0)
      """
    let work = try Scratch()
    let record = ["-o", "x.cow", "--snapshot-every", "50", "--", python, "-c", program]
    #expect(try LiveHost.record(record, in: work).wait() == .exited(code: 0))
    let lines = try work.read("stdout").split(separator: "\n")
    let told = lines.compactMap { UInt64($0) }.map { $0 << 10 }
    // Milliseconds from when a table was emptied to when it was filled again, at least and at most.
    let between = try #require(lines.last { $0.hasPrefix("between") }).split(separator: " ").compactMap { Int($0) }
    try #require(told.count == 5)
    // Above the 64, PMD tables for one or two 1 GiB, if they were not there.
    #expect([64, 65, 66].contains((told[1] - told[0]) / 4096))
    #expect(told[2] == told[1] && told[3] + 16 * 4096 == told[2] && told[4] == told[3])
    let file = try SnapshotFile.open(work.path("x.cow/snapshots.bin"))
    let shown = Set(try (0..<file.count).map { try file.snapshot(at: $0).pageTableBytes })
    #expect(shown.isSuperset(of: told.map { Optional($0) }))

    let objects = try LiveHost.objects(of: ["replay", "--json", "x.cow"], in: work)
    let verification = try #require(objects.last?["verify"] as? [String: Any])
    let tables = try #require(verification["tables"] as? [String: Int])
    #expect(tables["disagree"] == 0 && tables["unknown"] == 0)
    #expect(try #require(tables["agree"]) >= 5)
    let audit = try #require(objects.first { $0["type"] as? String == "audit" && $0["name"] as? String == "tables" })
    let figures = try #require(audit["figures"] as? [String: Int])
    #expect(figures["empty_peak"] == 32 && figures["emptied"] == 48)
    #expect(figures["freed_upstream"] == 16 && figures["freed_any_range"] == 48)
    #expect(figures["refilled"] == 8)
    if between[1] < 990 { #expect(figures["refilled_1s"] == 8) }
    if between[0] > 1010 { #expect(figures["refilled_1s"] == 0) }
    #expect(figures["bytes_peak"].map { UInt64($0) } == told.max())
  }
}
