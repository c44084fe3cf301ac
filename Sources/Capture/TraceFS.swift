// SPDX-License-Identifier: GPL-2.0-only

internal import CTraceFS
internal import Glibc
internal import SystemPackage

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

  /// The names of our own instances whose recorder no longer runs, parsed by `TraceInstance.owner(ofName:)`.
  package func staleInstances() -> [String] {
    DirectoryListing.names(in: root + "/instances").filter { name in
      guard let pid = TraceInstance.owner(ofName: name) else { return false }
      return kill(pid, 0) != 0 && Glibc.errno == ESRCH
    }
  }

  /// Removes what dead recorders left behind. Returns the names removed.
  package func removeStaleInstances() throws(CaptureError) -> [String] {
    let names = staleInstances()
    for name in names {
      let instance = TraceInstance(adopting: root + "/instances/" + name, named: name)
      try instance.remove()
    }
    return names
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
