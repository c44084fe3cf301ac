// SPDX-License-Identifier: GPL-2.0-only

import Capture
import Foundation
import TestSupport
import Testing
import TraceFile

private let python = "/usr/bin/python3"

/// Programs whose figures are known by construction.
@Suite(
  "Audits, on this host", .serialized, LiveHost.requirement,
  .enabled(if: FileManager.default.isExecutableFile(atPath: python)))
struct AuditLiveTests {
  @Test(
    "mprotect inside large folios: not shared, half shared, the other half, one page",
    .enabled(if: LargeFolioSetting.exists(order: 4)))
  func mprotect() throws {
    let setting = try LargeFolioSetting(order: 4)
    defer { setting.putBack() }
    let program = """
      import ctypes, os, struct, sys
      libc = ctypes.CDLL(None)
      libc.mmap.restype = ctypes.c_void_p
      call = lambda name, first, last, how: getattr(libc, name)(
          ctypes.c_void_p(first * 4096), ctypes.c_size_t((last - first) * 4096), how)
      base = (libc.mmap(None, ctypes.c_size_t(65 << 16), 3, 0x22, -1, ctypes.c_long(0)) + 65535 >> 16 << 16) // 4096
      \(Self.pageWords)
      folios = []
      # Every other block, so that nothing larger fits.
      for first in range(base, base + 1024, 32):
          call("madvise", first, first + 16, 14)
          ctypes.memset(first * 4096, 1, 1)
          if is_folio(first):
              folios.append(first)
      if len(folios) < 4:
          print("no memory for large folios", file=sys.stderr)
          sys.exit(0)
      def toggle(first, last):
          assert call("mprotect", first, last, 1) == 0 and call("mprotect", first, last, 3) == 0
      a, b, c, d = folios[:4]
      toggle(a + 4, a + 8)
      for first in b, c + 8, d:
          call("madvise", first, first + 8, 10)
      receive, send = os.pipe()
      child = os.fork()
      if child == 0:
          os.read(receive, 1)
          os._exit(0)
      for first, last in (b + 8, b + 16), (c + 8, c + 16), (d + 8, d + 9):
          toggle(first, last)
          assert call("mprotect", first, last, 3) == 0
          for page in range(first, last):
              ctypes.memset(page * 4096 + 1, 2, 1)
      os.write(send, b"x")
      os.waitpid(child, 0)
      """
    let (figures, errors) = try figures(of: "mprotect", program)
    if errors.contains("no memory for large folios") { return }
    #expect(figures["calls_hit"] == 3 && figures["ptes"] == 4 + 8 + 8 + 1)
    #expect(figures["batches"] == 4 && figures["batches_inside_folio"] == 4 && figures["sub_batches"] == 4)
    #expect(figures["bug_unsafe"] == 9 && figures["bug_cons_fault"] == 8)
    #expect(figures["bug_i1_break"] == 0 && figures["unknown"] == 0)
  }

  @Test("Reads and writes with O_DIRECT of memory that a child shares", .enabled(if: LiveHost.opensDirect))
  func pins() throws {
    // What is read into and written from is there, in small pages.
    let program = LiveHost.directIO(
      rounds: 3,
      preparing: """
        libc.madvise(ctypes.c_void_p(read), ctypes.c_size_t(size), 15)
        libc.madvise(ctypes.c_void_p(written), ctypes.c_size_t(size), 15)
        ctypes.memset(read, 7, size)
        """)
    let (figures, _) = try figures(of: "pins", program)
    // 16 pages each of what is read into and what is written from.
    #expect(figures["calls"] == 6 && figures["unshares"] == 3 * 16)
    #expect(figures["pins"] == 3 * 32 && figures["pages"] == 32)
    #expect(figures["unpin_checks"] == 3 * 32 && figures["still_exclusive_at_unpin"] == 3 * 32)
    #expect(figures["forks_while_pinned"] == 0 && figures["copied_at_fork"] == 0 && figures["remote_writes"] == 0)
  }

  @Test("A folio of which a child shares one half, given up whole", .enabled(if: LargeFolioSetting.exists(order: 4)))
  func mixedRuns() throws {
    let setting = try LargeFolioSetting(order: 4)
    defer { setting.putBack() }
    let program = """
      import ctypes, mmap, os, struct, sys
      memory = mmap.mmap(-1, 65 << 16, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
      base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
      \(Self.pageWords)
      folios = []
      # Every other block, so that nothing larger fits.
      for block in range(0, 64, 2):
          first = -base % (1 << 16) + (block << 16)
          memory.madvise(mmap.MADV_HUGEPAGE, first, 1 << 16)
          memory[first] = 1
          if is_folio(base + first >> 12):
              folios.append(first)
      if len(folios) < 3:
          print("no memory for large folios", file=sys.stderr)
          sys.exit(0)
      a, b, c = folios[:3]
      half = 1 << 15
      kept = (a, half), (b + half, half), (c, 2 * half)
      for start, length in kept:
          memory.madvise(mmap.MADV_DONTFORK, start, length)
      receive, send = os.pipe()
      child = os.fork()
      if child == 0:
          os.read(receive, 1)
          os._exit(0)
      for start, length in kept:
          memory.madvise(mmap.MADV_DOFORK, start, length)
      for start in a, b, c:
          memory.madvise(mmap.MADV_FREE, start, 2 * half)
      os.write(send, b"x")
      os.waitpid(child, 0)
      """
    let (figures, errors) = try figures(of: "kernel", program)
    if errors.contains("no memory for large folios") { return }
    #expect(figures["lazyfree_mixed"] == 2)
    #expect(figures["lazyfree_unsafe"] == 8 && figures["lazyfree_cons_fault"] == 8)
    #expect(figures["loss_pages"] == 0 && figures["unsafe_pages"] == 0)
  }

  @Test(
    "A child loses what its parent gave up, on kernels that do not ask who else maps a clean page",
    .enabled(if: LiveHost.opensDirect), arguments: [true, false])
  func lostPages(placesKnown: Bool) throws {
    // With writev the trace does not tell which pages are copied.
    let program = """
      import mmap, os, tempfile
      file, path = tempfile.mkstemp()
      direct = os.open(path, os.O_RDWR | os.O_DIRECT)
      os.unlink(path)
      os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
      memory = mmap.mmap(-1, 16 << 12, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
      memory.madvise(mmap.MADV_NOHUGEPAGE)
      for page in range(16):
          memory[page << 12] = page + 1
      def child(work):
          receive, send = os.pipe()
          pid = os.fork()
          if pid == 0:
              os.close(send)
              os.read(receive, 1)
              os._exit(work())
          os.close(receive)
          return pid, send
      def reclaim():
          memory.madvise(21)
          return sum(memory[page << 12] != page + 1 for page in range(16))
      def end(child):
          os.write(child[1], b"x")
          return os.waitstatus_to_exitcode(os.waitpid(child[0], 0)[1])
      first = child(lambda: 0)
      \(placesKnown ? "os.write(direct, memory)" : "os.writev(direct, [memory])")
      second = child(reclaim)
      memory.madvise(mmap.MADV_FREE)
      memory.close()
      lost = end(second)
      end(first)
      os.write(2, b"lost %d;" % lost)
      """
    let (figures, errors) = try figures(of: "kernel", program)
    let lost = try #require((0...16).first { errors.contains("lost \($0);") })
    #expect(figures["loss_pages"] == lost && figures["zeros_read"] == lost && figures["loss_in_doubt"] == 0)
    #expect(figures["unsafe_pages"] == 0)
  }

  /// Python: whether a folio of 16 pages begins at this page of the program's own.
  private static let pageWords = """
    def words(path, first, count):
        with open(path, "rb", buffering=0) as file:
            file.seek(first * 8)
            return struct.unpack(f"{count}Q", file.read(count * 8))
    def is_folio(page):
        frame = words("/proc/self/pagemap", page, 1)[0] & (1 << 55) - 1
        flags = words("/proc/kpageflags", frame, 16)
        return flags[0] >> 15 & 1 and all(flag >> 16 & 1 for flag in flags[1:])
    """

  /// What the audit counts of the program, and what the program complains of. Model and kernel agree.
  private func figures(of audit: String, _ program: String) throws -> (figures: [String: Int], errors: String) {
    let work = try Scratch()
    #expect(
      try LiveHost.record(["-o", "x.cow", "--", python, "-c", program], in: work).wait() == .exited(code: 0))
    let errors = try work.read("stderr")
    let objects = try LiveHost.objects(of: ["replay", "--json", "x.cow"], in: work)
    let verification = try #require(objects.last { $0["type"] as? String == "summary" }?["verify"] as? [String: Any])
    let decisions = try #require(verification["decisions"] as? [String: Any])
    #expect(decisions["disagree"] as? Int == 0)
    let result = try #require(objects.first { $0["type"] as? String == "audit" && $0["name"] as? String == audit })
    return (try #require(result["figures"] as? [String: Int]), errors)
  }
}
