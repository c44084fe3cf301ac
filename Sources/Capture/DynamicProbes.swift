// SPDX-License-Identifier: GPL-2.0-only

internal import Glibc
internal import SystemPackage
internal import TraceFile

/// Probes of a recording in the kernel: one set, whole or not at all, for half of it would be taken for all that
/// happened. They are in a group of our own, and go at the latest when the object does.
///
/// The group is named after the task instance of the recording: as long as that one is there, it is somebody's.
package final class DynamicProbes {
  package struct Refusal: Equatable, Sendable {
    package var probe: WantedProbe
    package var reason: String
  }

  /// The name of the group.
  package let group: String
  package private(set) var probes: [WantedProbe] = []
  /// What the kernel would not have, of functions that it lacks what can be done without. Other than that there are no
  /// probes.
  package private(set) var refusals: [Refusal] = []
  private let tracefs: TraceFS
  private var isPresent = false

  /// Sets the probes; `announce` gets each one's `GROUP/NAME` before it is set.
  package init(
    _ wanted: [WantedProbe], for instance: borrowing TraceInstance, in tracefs: TraceFS,
    announcing announce: (String) -> Void = { _ in }
  ) {
    self.tracefs = tracefs
    group = Self.group(ofInstance: instance.name) ?? "cowscope_\(getpid())"
    isPresent = true
    for probe in wanted where !refusals.contains(where: { $0.probe.function == probe.function }) {
      announce("\(group)/\(probe.name)")
      do throws(CaptureError) {
        try KernelText.write(probe.definition(in: group), to: tracefs.dynamicEvents)
        probes.append(probe)
      } catch {
        refusals.append(Refusal(probe: probe, reason: Self.reason(error)))
        if !probe.isOptional { break }
      }
    }
    guard let last = refusals.last, !last.probe.isOptional else { return }
    do throws(CaptureError) { try remove() } catch {}
    probes = []
  }

  deinit { do throws(CaptureError) { try remove() } catch {} }

  /// Why there are none, in a word; `nil`: they are there.
  package var refusal: String? {
    guard let refusal = refusals.last, !refusal.probe.isOptional else { return nil }
    return "\(refusal.probe.function): \(refusal.reason)"
  }

  /// As they are recorded: in the unfiltered instance, since whoever ends an I/O gives its pins back.
  var events: [ChosenEvents.Event] {
    probes.map { ChosenEvents.Event(probe: $0.name, of: group) }
  }

  /// Records that the kernel did not make of hits, by its own count (`kprobe_profile`). It names no groups: what somebody
  /// else has under the same name counts too.
  func missed() -> UInt64 {
    let names = Set(probes.map(\.name))
    let profile = KernelText.readIfPresent(tracefs.root + "/kprobe_profile") ?? ""
    return profile.split(separator: "\n").reduce(0) { sum, line in
      let fields = line.split(whereSeparator: \.isWhitespace)
      guard fields.count == 3, names.contains(String(fields[0])) else { return sum }
      return sum + (UInt64(fields[2]) ?? 0)
    }
  }

  /// Removes them; they have to be disabled everywhere.
  func remove() throws(CaptureError) {
    guard isPresent else { return }
    isPresent = false
    var failure: CaptureError?
    for probe in probes {
      do throws(CaptureError) { try tracefs.removeProbe("\(group)/\(probe.name)") } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
  }

  private static func reason(_ error: CaptureError) -> String {
    switch error {
    case .notPrivileged: Errno.notPermitted.description
    case .file(_, _, let code): code.description
    default: error.description
    }
  }

  /// `cowscope-12.2-task` has `cowscope_12_2`.
  package static func group(ofInstance name: String) -> String? {
    guard TraceInstance.isOurs(name) else { return nil }
    return name.split(separator: "-").prefix(2).joined(separator: "_").map { $0 == "." ? "_" : String($0) }.joined()
  }

  /// The other way round; `nil` for a group that is not ours.
  package static func instance(ofGroup group: String) -> String? {
    let parts = group.split(separator: "_", omittingEmptySubsequences: false)
    guard parts.count == 2 || parts.count == 3, parts[0] == "cowscope" else { return nil }
    let name = "cowscope-" + parts.dropFirst().joined(separator: ".") + "-task"
    return TraceInstance.isOurs(name) ? name : nil
  }

  /// `GROUP/NAME` of every probe in the text of `dynamic_events` (`p:GROUP/NAME ...`, `r16:GROUP/NAME ...`) that is ours
  /// by its name and belongs to none of these instances.
  package static func stale(in text: String, instances: Set<String>) -> [String] {
    text.split(separator: "\n").compactMap { line in
      let parts = line.prefix { !$0.isWhitespace }.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, let owner = instance(ofGroup: String(parts[1].prefix { $0 != "/" })),
        parts[1].contains("/"), !instances.contains(owner)
      else { return nil }
      return String(parts[1])
    }
  }
}

extension TraceFS {
  /// Opened for writing and truncated it would lose everybody's.
  var dynamicEvents: String { root + "/dynamic_events" }

  fileprivate func removeProbe(_ name: String) throws(CaptureError) {
    // A reader of its format, or its being disabled, may hold it for a moment.
    for attempt in 0..<50 {
      do throws(CaptureError) {
        return try KernelText.write("-:" + name, to: dynamicEvents)
      } catch {
        switch error {
        case .file(_, _, .noSuchFileOrDirectory): return
        case .file(_, _, .resourceBusy) where attempt < 49: usleep(20_000)
        default: throw error
        }
      }
    }
  }

  /// Removes the probes of recorders that were killed. To be done after their instances went, in which they are enabled;
  /// `say` gets a line for each failure, and one for all that were removed.
  package func removeStaleProbes(say: (String) -> Void) {
    guard let text = KernelText.readIfPresent(dynamicEvents) else { return }
    let names = DynamicProbes.stale(in: text, instances: Set(DirectoryListing.names(in: root + "/instances")))
    var removed = 0
    for name in names {
      do throws(CaptureError) {
        try removeProbe(name)
        removed += 1
      } catch {
        say(error.description)
      }
    }
    if removed > 0 { say("removed \(removed) probes, left by a recorder that was killed") }
  }
}
