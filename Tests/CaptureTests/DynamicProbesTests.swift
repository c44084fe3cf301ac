// SPDX-License-Identifier: GPL-2.0-only

import Capture
import TestSupport
import Testing

@Suite("Probes of a recording")
struct DynamicProbesTests {
  /// As `dynamic_events` shows them on 6.12: a return probe with how many calls may be under way.
  private static let text = """
    p:cowscope_12/unpin_folio unpin_folio page=$arg1:x64 vmemmap=@vmemmap_base:x64
    r10:cowscope_12_2/pin_user_pages_exit pin_user_pages got=$retval:s64
    p:mine/pin_user_pages pin_user_pages
    p:cowscope/unpin_folio unpin_folio
    s:cowscope_12 unsigned int x
    e:cowscope_7/x syscalls.sys_enter_ioctl

    """

  @Test("What a killed recorder left has no instance any more; what is somebody's, or not named like ours, stays")
  func stale() {
    let all = ["cowscope_12/unpin_folio", "cowscope_12_2/pin_user_pages_exit", "cowscope_7/x"]
    #expect(DynamicProbes.stale(in: Self.text, instances: []) == all)
    #expect(DynamicProbes.stale(in: Self.text, instances: ["cowscope-12-task"]) == Array(all[1...]))
    #expect(
      DynamicProbes.stale(in: Self.text, instances: ["cowscope-12.2-task", "cowscope-7-host"]) == [all[0], all[2]])
  }

  @Test("The group is named after the task instance, and tells whose it is")
  func group() {
    for (instance, group) in [("cowscope-12-task", "cowscope_12"), ("cowscope-12.3-task", "cowscope_12_3")] {
      #expect(DynamicProbes.group(ofInstance: instance) == group)
      #expect(DynamicProbes.instance(ofGroup: group) == instance)
    }
    #expect(DynamicProbes.group(ofInstance: "other") == nil)
    for group in ["cowscope", "cowscope_", "cowscope_x", "cowscope_1_2_3", "other_1"] {
      #expect(DynamicProbes.instance(ofGroup: group) == nil)
    }
  }

  @Test("Where the file takes every probe they are there, and recorded unfiltered")
  func set() throws {
    let directory = try Scratch()
    try directory.write("", to: "dynamic_events")
    let instance = TraceInstance(adopting: directory.path, named: "cowscope-12-task")
    var announced: [String] = []
    let probes = DynamicProbes(WantedProbe.pins, for: instance, in: TraceFS(root: directory.path)) {
      announced.append($0)
    }
    #expect(probes.refusal == nil && probes.refusals.isEmpty)
    #expect(announced == WantedProbe.pins.map { "cowscope_12/\($0.name)" })
    // The file of the test is none of tracefs: the last write is in front.
    let last = try directory.read("dynamic_events")
    #expect(last.hasPrefix("p:cowscope_12/unpin_user_folio unpin_user_folio page=$arg1:x64 refs=$arg2:u64 vmemmap="))
    #expect(Set(WantedProbe.pins.map(\.name)).count == WantedProbe.pins.count)
  }

  @Test("A kernel that has no dynamic events is no failure: there are no probes, and why is told")
  func refused() throws {
    let directory = try Scratch()
    let instance = TraceInstance(adopting: directory.path, named: "cowscope-12-task")
    let probes = DynamicProbes(WantedProbe.pins, for: instance, in: TraceFS(root: directory.path))
    #expect(probes.probes.isEmpty)
    #expect(probes.refusal == "pin_user_pages: No such file or directory")
    let told = EnvironmentCheck.probes(refusal: probes.refusal, count: 0)
    #expect(told.state == .limited("which pages are pinned (FOLL_PIN) is not seen"))
    #expect(told.detail == "refused (pin_user_pages: No such file or directory)")
    #expect(EnvironmentCheck.probes(refusal: nil, count: 12).state == .ok)
  }

  @Test("What can be done without may be refused; the rest is set")
  func optional() throws {
    let directory = try Scratch()
    let instance = TraceInstance(adopting: directory.path, named: "cowscope-12-task")
    let wanted = [WantedProbe(.entry, "gone", "", optional: true), WantedProbe(.exit, "gone", "", optional: true)]
    let probes = DynamicProbes(wanted, for: instance, in: TraceFS(root: directory.path))
    #expect(probes.refusal == nil && probes.refusals.map(\.probe) == [wanted[0]])
  }
}
