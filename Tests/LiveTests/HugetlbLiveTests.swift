// SPDX-License-Identifier: GPL-2.0-only

import Capture
import Foundation
import TestSupport
import Testing
import TraceFile

private let python = "/usr/bin/python3"

/// Memory of huge pages from hugetlb's pool, against the kernel's decisions and flags.
@Suite(
  "hugetlb, on this host", .serialized, LiveHost.requirement,
  .enabled(if: FileManager.default.isExecutableFile(atPath: python)))
struct HugetlbLiveTests {
  /// Private memory and a private memfd, three times each: written, forked, written by child and parent, protected and
  /// not, discarded. Of four writes to what is present the first, the child's, is copied. It tells the addresses.
  private static let program = """
    import ctypes, os
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    HUGE = 2 << 20
    def map(flags, fd=-1):
        place = libc.mmap(None, ctypes.c_size_t(2 * HUGE), 3, flags, fd, ctypes.c_long(0))
        assert place != ctypes.c_void_p(-1).value, "no huge pages"
        print(place)
        return place
    def unmap(place):
        libc.munmap(ctypes.c_void_p(place), ctypes.c_size_t(2 * HUGE))
    def write(place, offset):
        ctypes.memset(place + offset, 1, 1)
    def child(place, offset):
        pid = os.fork()
        if pid == 0:
            write(place, offset)
            os._exit(0)
        os.waitpid(pid, 0)
    def use(place):
        write(place, 0)
        write(place, HUGE)
        child(place, 4096)
        write(place, 8192)
        write(place, HUGE + 1)
        for protection in 1, 3:
            libc.mprotect(ctypes.c_void_p(place), ctypes.c_size_t(2 * HUGE), protection)
        write(place, 5)
        assert libc.madvise(ctypes.c_void_p(place), ctypes.c_size_t(HUGE), 4) == 0
        write(place, 7)
        unmap(place)
    for _ in range(3):
        use(map(0x40022))
        fd = os.memfd_create("huge", 4 | 21 << 26)
        os.ftruncate(fd, 2 * HUGE)
        use(map(0x2, fd))
        # Nothing of what is shared is ever copied.
        place = map(0x1, fd)
        write(place, 0)
        child(place, 1)
        write(place, 2)
        unmap(place)
        os.close(fd)
    """

  @Test("Copies and reuses are those that the program makes, and the model expects each; every flag is right")
  func agreement() throws {
    guard let pool = HugePool(8) else { return }
    defer { pool.putBack() }
    let work = try Scratch()
    let recorder = try LiveHost.record(
      ["-o", "x.cow", "--snapshot-every", "20", "--", python, "-c", Self.program], in: work)
    let ended = recorder.wait()
    let errors = try work.read("stderr")
    #expect(ended == .exited(code: 0), "\(errors)")
    let places = Set(try work.read("stdout").split(separator: "\n").compactMap { UInt64($0) })
    #expect(!places.isEmpty)

    let objects = try LiveHost.objects(of: ["replay", "--json", "x.cow"], in: work)
    let verification = try #require(objects.last { $0["type"] as? String == "summary" }?["verify"] as? [String: Any])
    for kind in ["decisions", "pages"] {
      let tally = try #require(verification[kind] as? [String: Any])
      #expect(tally["disagree"] as? Int == 0, "\(kind): \(verification)")
    }
    let causes = try #require(verification["unknown_causes"] as? [String: Any])
    // Page tables are compared where a snapshot falls between two changes, which is seldom unless the host is busy.
    let tables = "the mm has memory of hugetlb, whose page tables are not followed"
    #expect(!causes.keys.contains { $0.contains("huge") && $0 != tables }, "\(causes)")
    #expect(!objects.contains { $0["type"] as? String == "gap" && $0["name"] as? String == "hugetlb-not-followed" })

    var decisions: [String: Int] = [:]
    for event in try LiveHost.objects(of: ["script", "--json", "x.cow"], in: work) {
      guard event["access"] as? String == "write-protect", let outcome = event["outcome"] as? String,
        let address = (event["addr"] as? String).flatMap({ UInt64($0.dropFirst(2), radix: 16) }),
        places.contains(where: { $0 <= address && address < $0 + 4 << 20 })
      else { continue }
      decisions[outcome, default: 0] += 1
    }
    #expect(decisions == ["pool": 6, "quiet": 18])
  }
}

/// Huge pages that are kept for a test, on top of those in use.
private struct HugePool {
  private static let setting = "/proc/sys/vm/nr_hugepages"
  private let before: String

  /// `nil` where the kernel has no hugetlb, or no memory for so many.
  init?(_ count: Int) {
    guard let before = KernelText.readIfPresent(Self.setting), let pages = Int(before) else { return nil }
    self.before = before
    write("\(pages + count)")
    guard let now = KernelText.readIfPresent(Self.setting).flatMap({ Int($0) }), now >= pages + count else {
      putBack()
      return nil
    }
  }

  func putBack() { write(before) }

  private func write(_ value: String) { try? Data(value.utf8).write(to: URL(fileURLWithPath: Self.setting)) }
}
