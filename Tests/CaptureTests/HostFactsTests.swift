// SPDX-License-Identifier: GPL-2.0-only

import Capture
import TestSupport
import Testing

@Suite("Facts about the host")
struct HostFactsTests {
  @Test("Settings of the configuration: set, not set, unknown")
  func config() {
    let text = """
      # Automatically generated file; DO NOT EDIT.
      CONFIG_MEMCG=y
      CONFIG_MEMCG_V1=y
      CONFIG_HZ=250
      # CONFIG_MEM_SOFT_DIRTY is not set
      # CONFIG_SOUND is not set
      CONFIG_CC_VERSION_TEXT="gcc (Debian) 12.2.0"

      """
    #expect(
      HostFacts.config(in: text) == ["CONFIG_MEMCG": "y", "CONFIG_HZ": "250", "CONFIG_MEM_SOFT_DIRTY": "n"])
  }

  @Test("Memory sizes are in kB, and a key is not another one's beginning")
  func memory() {
    let text = "MemTotal:       24683800 kB\nMemFree:        22911384 kB\nMemAvailable:   24057132 kB\n"
    #expect(HostFacts.memory("MemAvailable", inMeminfo: text) == 24_057_132)
    #expect(HostFacts.memory("Mem", inMeminfo: text) == nil)
    #expect(HostFacts.memory("MemAvailable", inMeminfo: "") == nil)
  }
}

@Suite("Can this host record?")
struct EnvironmentCheckTests {
  @Test("Without root it cannot")
  func privilege() {
    #expect(EnvironmentCheck.canRecord([EnvironmentCheck.privilege(effectiveUser: 0)]))
    #expect(!EnvironmentCheck.canRecord([EnvironmentCheck.privilege(effectiveUser: 1000)]))
  }

  @Test("Without tracefs it cannot, and the line says how to mount it")
  func tracefs() throws {
    let directory = try Scratch()
    let (requirement, tracefs) = EnvironmentCheck.tracefs(mounts: try directory.write("", to: "mounts"))
    #expect(tracefs == nil)
    guard case .missing(let reason) = requirement.state else {
      Issue.record("\(requirement)")
      return
    }
    #expect(reason.contains("mount -t tracefs none /sys/kernel/tracing"))
  }

  @Test("A missing group of events limits, missing everything prevents")
  func events() {
    let withoutKSM = EnvironmentCheck.events { system, _ in system != "ksm" }
    #expect(EnvironmentCheck.canRecord(withoutKSM))
    #expect(withoutKSM.filter { $0.state != .ok }.map(\.name) == ["events/ksm"])
    #expect(!EnvironmentCheck.canRecord(EnvironmentCheck.events { _, _ in false }))
  }

  @Test("Every wanted event belongs to a group with a consequence")
  func groups() {
    let groups = Set(EnvironmentCheck.events { _, _ in true }.map(\.name))
    for event in WantedEvents.all { #expect(groups.contains("events/" + event.system)) }
  }

  @Test("Frame numbers hidden from us are as bad as no pagemap")
  func pageTables() {
    let present: UInt64 = 1 << 63
    #expect(EnvironmentCheck.canRecord(EnvironmentCheck.pageTables(page: present | 0x1234, frameFlagsFailure: nil)))
    #expect(!EnvironmentCheck.canRecord(EnvironmentCheck.pageTables(page: present, frameFlagsFailure: nil)))
    #expect(!EnvironmentCheck.canRecord(EnvironmentCheck.pageTables(page: nil, frameFlagsFailure: nil)))
    #expect(
      !EnvironmentCheck.canRecord(
        EnvironmentCheck.pageTables(
          page: present | 1, frameFlagsFailure: .notPrivileged(path: "/proc/kpageflags"))))
  }

  @Test("Little memory means small buffers: said, not refused")
  func memory() {
    #expect(EnvironmentCheck.memory(meminfo: "MemAvailable: 25165824 kB\n", cpus: 2).state == .ok)
    let small = EnvironmentCheck.memory(meminfo: "MemAvailable: 102400 kB\n", cpus: 2)
    #expect(small.state != .ok)
    #expect(EnvironmentCheck.canRecord([small]))
  }
}
