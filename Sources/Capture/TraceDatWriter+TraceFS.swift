// SPDX-License-Identifier: GPL-2.0-only

package import TraceFile

extension TraceDatWriter {
  /// Reads the texts of tracefs without which the raw sub-buffers cannot be read.
  ///
  /// The sub-buffer's layout comes from `instance`, because instances differ in sub-buffer size; the tables exist only
  /// at the top. `kallsyms` and `printk_formats` are left out on purpose: no event of ours needs them, and a capture
  /// that is passed on should not tell where the kernel's code lies in memory.
  package init(
    events: [ChosenEvents.Event], instance: borrowing TraceInstance, tracefs: TraceFS, cpuCount: Int, clock: String
  ) throws(CaptureError) {
    var subsystems: [Subsystem] = []
    for event in events {
      let format = try KernelText.readBytes("\(tracefs.root)/events/\(event.system)/\(event.name)/format")
      if let index = subsystems.firstIndex(where: { $0.name == event.capturedSystem }) {
        subsystems[index].formats.append(format)
      } else {
        subsystems.append(Subsystem(name: event.capturedSystem, formats: [format]))
      }
    }
    // Among them `print`, the record of a marker.
    var ftraceFormats: [[UInt8]] = []
    for name in DirectoryListing.names(in: tracefs.root + "/events/ftrace") where name != "enable" && name != "filter" {
      ftraceFormats.append(try KernelText.readBytes("\(tracefs.root)/events/ftrace/\(name)/format"))
    }
    let headerPage = try instance.read("events/header_page")
    guard let layout = SubBufferLayout(headerPage: headerPage, isBigEndian: false) else {
      throw .invalid("\(instance.path("events/header_page")) describes no known ring buffer")
    }
    self.init(
      headerPage: Array(headerPage.utf8), headerEvent: Array(try instance.read("events/header_event").utf8),
      ftraceFormats: ftraceFormats, subsystems: subsystems, cpuCount: cpuCount, subBufferSize: layout.size,
      clock: clock)
    savedCmdlines = try KernelText.readBytes(tracefs.root + "/saved_cmdlines")
  }
}
