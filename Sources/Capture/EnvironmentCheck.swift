// SPDX-License-Identifier: GPL-2.0-only

internal import CTraceFS
internal import Glibc
internal import MMEvents
internal import SystemPackage

/// One thing a recording needs, and whether this host has it.
package struct Requirement: Equatable, Sendable {
  package enum State: Equatable, Sendable {
    case ok
    /// Recording works, with this consequence.
    case limited(String)
    /// Recording does not work, for this reason.
    case missing(String)
  }

  package var name: String
  package var state: State
  /// What was found.
  package var detail: String
}

/// `cowscope check`: can this host record?
package enum EnvironmentCheck {
  /// Looks at everything, creating and removing one instance and its probes on the way. `true` when a recording would work.
  package static func run() -> (requirements: [Requirement], canRecord: Bool) {
    var list = [privilege(effectiveUser: geteuid())]
    let (mount, tracefs) = tracefs(mounts: "/proc/self/mounts")
    list.append(mount)
    if let tracefs {
      list += instances(in: tracefs)
      list += events(in: tracefs)
      list.append(subBuffers(in: tracefs))
      list.append(clock(in: tracefs))
    }
    list += pageTables(page: pagemapWord(), frameFlagsFailure: openingFails("/proc/kpageflags"))
    list.append(
      memory(meminfo: KernelText.readIfPresent("/proc/meminfo") ?? "", cpus: max(1, tracefs?.cpus().count ?? 1)))
    list += defects(release: HostFacts.release())
    return (list, canRecord(list))
  }

  /// Whether nothing indispensable is missing.
  package static func canRecord(_ requirements: [Requirement]) -> Bool {
    requirements.allSatisfy {
      switch $0.state {
      case .ok, .limited: true
      case .missing: false
      }
    }
  }

  package static func privilege(effectiveUser: UInt32) -> Requirement {
    effectiveUser == 0
      ? Requirement(name: "privilege", state: .ok, detail: "root")
      : Requirement(
        name: "privilege", state: .missing("tracefs and page frame numbers are for root: sudo cowscope record ..."),
        detail: "user \(effectiveUser)")
  }

  package static func tracefs(mounts: String) -> (Requirement, TraceFS?) {
    do throws(CaptureError) {
      let tracefs = try TraceFS.find(mounts: mounts)
      return (Requirement(name: "tracefs", state: .ok, detail: tracefs.root), tracefs)
    } catch {
      return (Requirement(name: "tracefs", state: .missing(error.description), detail: "not mounted"), nil)
    }
  }

  /// And the probes, whose group is named after an instance.
  private static func instances(in tracefs: TraceFS) -> [Requirement] {
    do throws(CaptureError) {
      let instance = try TraceInstance.create(role: "task", in: tracefs)
      let canFollow = instance.has("options/event-fork")
      let probes = try probes(for: instance, in: tracefs)
      try instance.remove()
      return [
        Requirement(
          name: "instances",
          state: canFollow ? .ok : .limited("children of the recorded process cannot be followed: use -a"),
          detail: "\(tracefs.root)/instances"), probes,
      ]
    } catch {
      return [Requirement(name: "instances", state: .missing(error.description), detail: "no own trace instance")]
    }
  }

  private static func probes(
    for instance: borrowing TraceInstance, in tracefs: TraceFS
  ) throws(CaptureError) -> Requirement {
    let probes = DynamicProbes(WantedProbe.pins, for: instance, in: tracefs)
    let found = Self.probes(refusal: probes.refusal, count: probes.probes.count)
    try probes.remove()
    return found
  }

  package static func probes(refusal: String?, count: Int) -> Requirement {
    guard let refusal else { return Requirement(name: "probes", state: .ok, detail: "\(count) probes on pins") }
    return Requirement(
      name: "probes", state: .limited("which pages are pinned (FOLL_PIN) is not seen"),
      detail: "refused (\(refusal))")
  }

  /// What it means when a group of events is not there.
  private static let groups: [(system: String, consequence: String)] = [
    ("exceptions", "faults are not seen: only allocations and frees are replayed"),
    ("kmem", "page allocation, freeing and counters are not seen: nothing can be replayed"),
    ("migrate", "migration is not seen, and with it the kernel's own word on exclusivity"),
    ("thp", "migration of huge pages is not seen"),
    ("huge_memory", "collapse by khugepaged is not seen: affected ranges become unknown"),
    ("ksm", "KSM merges are not seen: affected pages become unknown"),
    ("mmap", "the end of an address space is not seen: it is inferred from task exit"),
    ("oom", "OOM kills look like other exits"),
    ("vmscan", "pages written to swap are not named"),
    ("pagemap", "a copy forced by an LRU batch's reference looks like any other copy"),
    ("task", "threads cannot be told from processes"),
    ("sched", "fork, exec and exit are not seen"),
    ("tlb", "a raced fault cannot be told from a reuse"),
    ("maple_tree", "the order of VMAs inside fork is not seen"),
    ("mmap_lock", "address spaces have no name until a snapshot"),
    ("signal", "denied faults look like reuse"),
    ("syscalls", "mmap, mprotect, madvise and their kin are not seen: build with CONFIG_FTRACE_SYSCALLS"),
  ]

  private static func events(in tracefs: TraceFS) -> [Requirement] {
    let directory = tracefs.root + "/events"
    guard unsafe access(directory, R_OK | X_OK) == 0 else {
      return [
        Requirement(
          name: "events", state: .missing(CaptureError.notPrivileged(path: directory).description), detail: "unknown")
      ]
    }
    return events { system, name in unsafe access("\(directory)/\(system)/\(name)/enable", F_OK) == 0 }
  }

  /// One line per known defect that the kernel has by its release.
  package static func defects(release: String) -> [Requirement] {
    let present = KernelDefect.present(in: release)
    let unknown = KernelDefect.known.filter { $0.presence(in: release) == .unknown }.map(\.name)
    var list = present.map {
      Requirement(name: "kernel", state: .limited("\($0.summary) (cowscope explain \($0.name))"), detail: $0.name)
    }
    if !unknown.isEmpty {
      list.append(
        Requirement(
          name: "kernel", state: .limited("this release does not tell whether it has them"),
          detail: unknown.joined(separator: ", ")))
    }
    if list.isEmpty {
      list.append(
        Requirement(name: "kernel", state: .ok, detail: "\(release), none of \(KernelDefect.known.count) known defects")
      )
    }
    return list
  }

  /// One line per group of events.
  package static func events(exists: (_ system: String, _ name: String) -> Bool) -> [Requirement] {
    var list: [Requirement] = []
    let wanted = WantedEvents.all
    for group in groups {
      let members = wanted.filter { $0.system == group.system }
      let absent = members.filter { !$0.names.contains { exists(group.system, $0) } }
      let state: Requirement.State = absent.isEmpty ? .ok : .limited(group.consequence)
      list.append(
        Requirement(
          name: "events/" + group.system, state: state,
          detail: absent.isEmpty
            ? "\(members.count) events"
            : absent.count == members.count
              ? "none of \(members.count) events" : "no " + absent.compactMap(\.names.first).joined(separator: ", ")))
    }
    do throws(CaptureError) {
      _ = try ChosenEvents(wanted, exists: exists)
    } catch {
      list.append(Requirement(name: "events", state: .missing(error.description), detail: "nothing to record"))
    }
    return list
  }

  private static func subBuffers(in tracefs: TraceFS) -> Requirement {
    unsafe access(tracefs.root + "/buffer_subbuf_size_kb", F_OK) == 0
      ? Requirement(name: "sub-buffers", state: .ok, detail: "\(BufferSettings.subBufferKiB) KiB")
      : Requirement(
        name: "sub-buffers",
        state: .limited("draining costs two to four times as much (sizes can be set since Linux 6.8)"),
        detail: "one page")
  }

  private static func clock(in tracefs: TraceFS) -> Requirement {
    let source = KernelText.readIfPresent("/sys/devices/system/clocksource/clocksource0/current_clocksource")
    let clocks = TraceFS.clocks(in: KernelText.readIfPresent(tracefs.root + "/trace_clock") ?? "")
    guard !clocks.all.isEmpty else {
      return Requirement(
        name: "clock", state: .missing(CaptureError.notPrivileged(path: tracefs.root + "/trace_clock").description),
        detail: "unknown")
    }
    return Requirement(
      name: "clock", state: .ok, detail: BufferSettings.defaultClock(clocksource: source, available: clocks.all))
  }

  /// `page` is the pagemap word of a page of ours that is present.
  package static func pageTables(page: UInt64?, frameFlagsFailure: CaptureError?) -> [Requirement] {
    let noSnapshots = "no snapshots: a process attached to stays unknown, and the model is not checked against pages"
    let pagemap: Requirement.State =
      switch page {
      case nil: .missing("/proc/self/pagemap cannot be read: \(noSnapshots)")
      case let word? where word & ((1 << 55) - 1) == 0:
        .missing("/proc/self/pagemap hides page frame numbers (they need CAP_SYS_ADMIN): \(noSnapshots)")
      case _?: .ok
      }
    var flags = Requirement(name: "kpageflags", state: .ok, detail: "/proc/kpageflags")
    if let failure = frameFlagsFailure { flags.state = .missing("\(failure.description): \(noSnapshots)") }
    return [Requirement(name: "pagemap", state: pagemap, detail: "/proc/PID/pagemap"), flags]
  }

  private static func openingFails(_ path: String) -> CaptureError? {
    do throws(CaptureError) {
      KernelText.closeQuietly(try KernelText.open(path, .readOnly, doing: "read"))
      return nil
    } catch {
      return error
    }
  }

  /// The pagemap word of the page that holds a local variable.
  private static func pagemapWord() -> UInt64? {
    var probe: UInt64 = 1
    var word: UInt64 = 0
    do throws(CaptureError) {
      let pagemap = try KernelText.open("/proc/self/pagemap", .readOnly, doing: "read")
      defer { KernelText.closeQuietly(pagemap) }
      let address = unsafe withUnsafeMutablePointer(to: &probe) { pointer in
        unsafe pointer.pointee = 2
        return UInt64(UInt(bitPattern: pointer))
      }
      let offset = off_t(address / UInt64(getpagesize()) * 8)
      return unsafe pread(pagemap.rawValue, &word, 8, offset) == 8 ? word : nil
    } catch {
      return nil
    }
  }

  package static func memory(meminfo: String, cpus: Int) -> Requirement {
    let available = HostFacts.memory("MemAvailable", inMeminfo: meminfo) ?? 0
    let size = BufferSettings.size(forCPUs: cpus, availableKiB: available)
    let detail = "\(size >> 10) MiB of buffer per CPU and instance, \(available >> 10) MiB available"
    let state: Requirement.State =
      if size == BufferSettings.defaultKiB { .ok } else { .limited("events may be lost in dense fault storms") }
    return Requirement(name: "memory", state: state, detail: detail)
  }
}
