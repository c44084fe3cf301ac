// SPDX-License-Identifier: GPL-2.0-only

import Testing
import TraceFile

@testable import Anonymize

@Suite("Names instead of names")
struct PseudonymTests {
  private let names = Pseudonyms(Secret((1, 2)))

  @Test("One for one name, another for another and under another secret")
  func one() {
    #expect(names.name("postgres") == names.name("postgres"))
    #expect(names.name("postgres") != names.name("postgre"))
    #expect(names.name("postgres") != Pseudonyms(Secret((1, 3))).name("postgres"))
    #expect(names.name("postgres").utf8.count == 13)
    #expect(names.name("") == "")
  }

  @Test("The kernel's names of mappings stay; of others the kind does")
  func mappings() {
    for name in ["", "[heap]", "[stack]", "[vdso]", "/anon_hugepage"] { #expect(names.mapping(name) == name) }
    #expect(names.mapping("/usr/lib/libc.so.6") == "/" + names.name("/usr/lib/libc.so.6"))
    #expect(names.mapping("[anon:secret]") == "[anon:" + names.name("secret") + "]")
    #expect(names.mapping("/SYSV0000abcd (deleted)") == "/SYSV")
    #expect(names.mapping("[heap of mine]") == "/" + names.name("[heap of mine]"))
  }

  @Test("Markers of the recorder stay, of others' nothing does")
  func markers() {
    #expect(RecordRewriter.ownMarker("cowscope snapshot begin 3 1234\n") == "cowscope snapshot begin 3 1234\n")
    #expect(RecordRewriter.ownMarker("cowscope threads 12 13 14") == "cowscope threads 12 13 14\n")
    #expect(RecordRewriter.ownMarker("cowscope snapshot begin alice 1234") == "")
    #expect(RecordRewriter.ownMarker("my password is 12") == "")
  }

  @Test("A manifest keeps switches and numbers, and of a command line that there was one")
  func manifest() {
    var old = CaptureManifest(
      recorder: "cowscope 0.1", release: "6.18.0", machine: "x86_64", version: "#1 SMP of alice@build",
      commandLine: ["cowscope", "record", "--", "psql", "-U", "alice"], startTime: 1, pageSize: 4096, cpuCount: 2,
      clock: "mono")
    old.kernelConfig = ["CONFIG_KSM": "y", "CONFIG_HZ": "250", "CONFIG_LOCALVERSION": "\"-alice\""]
    old.knobs = [
      "/proc/cmdline": "root=UUID=1234", "/proc/swaps": "/home/alice/swap", "/sys/kernel/mm/ksm/run": "0",
      "/opt/alice": "1",
    ]
    old.events = .init(wanted: ["kmem:mm_page_alloc", "uprobes:alice"], enabled: ["kmem:mm_page_alloc"])
    old.notes = ["bytes at the end of /home/alice/x"]
    old.interference = ["alice's instance was switched off"]
    let new = AnonymousManifest(old, names)
    #expect(new.manifest.kernelConfig == ["CONFIG_KSM": "y", "CONFIG_HZ": "250"])
    #expect(new.manifest.knobs == ["/sys/kernel/mm/ksm/run": "0"])
    #expect(new.manifest.events.wanted == ["kmem:mm_page_alloc"])
    #expect(Array(new.manifest.commandLine.prefix(3)) == ["cowscope", "record", "--"])
    #expect(new.manifest.commandLine.count == 6)
    #expect(new.leftOut == 6)
    #expect(!"\(new.manifest)".contains("alice"))
  }
}
