// SPDX-License-Identifier: GPL-2.0-only

internal import CTraceFS
internal import Glibc
internal import SystemPackage
internal import TraceFile

/// The mounted tracefs of the host.
package struct TraceFS: Sendable {
  /// Usually `/sys/kernel/tracing`.
  package let root: String

  package init(root: String) { self.root = root }

  /// Finds the mount point in the mount table.
  ///
  /// libtracefs would mount tracefs itself when it is not; a recorder must not change the host without being asked, so
  /// this is decided before the first call into it.
  package static func find(mounts: String = "/proc/self/mounts") throws(CaptureError) -> TraceFS {
    let points = mountPoints(inMountTable: try KernelText.read(mounts))
    guard let first = points.first(where: { $0 == "/sys/kernel/tracing" }) ?? points.first else {
      throw .tracefsNotMounted
    }
    return TraceFS(root: first)
  }

  /// The mount points of type tracefs in the text of `/proc/self/mounts`.
  package static func mountPoints(inMountTable table: String) -> [String] {
    table.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.count >= 3, fields[2] == "tracefs" else { return nil }
      return String(fields[1])
    }
  }

  /// Removes what killed recorders left behind; `say` gets a line for each. An instance that is being removed by
  /// somebody else, or cannot be, is no reason not to record.
  package func removeStaleInstances(say: (String) -> Void) {
    for name in DirectoryListing.names(in: root + "/instances") {
      guard let instance = TraceInstance.takeOver(name, in: self) else { continue }
      do throws(CaptureError) {
        try instance.remove()
        say("removed \(name), left by a recorder that was killed")
      } catch {
        say(error.description)
      }
    }
  }

  /// The per-CPU buffers an instance has, that is the possible CPUs.
  package func cpus() -> [Int] {
    DirectoryListing.names(in: root + "/per_cpu")
      .compactMap { $0.hasPrefix("cpu") ? Int($0.dropFirst(3)) : nil }
      .sorted()
  }

  /// The selectable clocks and the active one, from the text of `trace_clock` ("[local] global mono").
  package static func clocks(in text: String) -> (all: [String], active: String?) {
    var active: String?
    let all = text.split(whereSeparator: \.isWhitespace).map { word in
      guard word.hasPrefix("["), word.hasSuffix("]") else { return String(word) }
      active = String(word.dropFirst().dropLast())
      return String(word.dropFirst().dropLast())
    }
    return (all, active)
  }
}
