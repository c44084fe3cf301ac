// SPDX-License-Identifier: GPL-2.0-only

internal import CTraceFS
internal import Glibc
internal import SystemPackage
internal import TraceFile

/// One recording from the first check to the finished capture.
///
/// The states follow each other in `run`: prepare (instances set up but stopped, output directory made), start
/// (tracing on, then the command released), wait, stop, write. Whatever fails on the way, the instances go when this
/// object does, and an unfinished output directory keeps its mark.
package final class Recording {
  private let options: RecordingOptions
  private let say: (String) -> Void
  private let tracefs: TraceFS
  private let events: ChosenEvents
  private let settings: BufferSettings
  private let cpus: [Int]
  private var output: OutputDirectory?
  private var watchdog: Watchdog?
  private var instances: InstancePair?
  private var drains: [CPUDrain] = []
  private var snapshotter: Snapshotter?
  private var manifest: CaptureManifest
  private let wakeUp: WakeUp

  /// Checks that this host can record what is asked for; nothing is changed yet. `say` gets one line of talk at a time.
  package init(_ options: RecordingOptions, say: @escaping (String) -> Void) throws(CaptureError) {
    self.options = options
    self.say = say
    tracefs = try TraceFS.find()
    // The first file only root can read; its name stands in the message.
    let clocks = TraceFS.clocks(in: try KernelText.read(tracefs.root + "/trace_clock"))
    let root = tracefs.root
    events = try ChosenEvents(WantedEvents.all) { system, name in
      unsafe access("\(root)/events/\(system)/\(name)/enable", F_OK) == 0
    }
    switch options.target {
    case .command(let arguments):
      let path = unsafe getenv("PATH").map { unsafe String(cString: $0) }
      try HeldCommand.check(arguments.first ?? "", path: path ?? "/bin:/usr/bin")
    case .processes(let pids):
      for pid in pids { _ = try FollowedTree.threads(of: pid) }
    case .host: break
    }
    cpus = tracefs.cpus()
    let clock =
      options.clock
      ?? BufferSettings.defaultClock(
        clocksource: KernelText.readIfPresent("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        available: clocks.all)
    guard clocks.all.contains(clock) else {
      throw .invalid("this kernel has no trace clock '\(clock)' (it has: \(clocks.all.joined(separator: " ")))")
    }
    let available = HostFacts.memory("MemAvailable", inMeminfo: KernelText.readIfPresent("/proc/meminfo") ?? "")
    settings = BufferSettings(
      clock: clock,
      kibibytesPerCPU: options.bufferKiB ?? BufferSettings.size(forCPUs: cpus.count, availableKiB: available ?? 1 << 20)
    )
    manifest = HostFacts.manifest(
      recorder: options.recorder, commandLine: options.commandLine, clock: clock,
      cpuCount: (cpus.last ?? 0) + 1)
    wakeUp = try WakeUp()
  }

  /// Records until the end comes, and writes the capture.
  package func run() throws(CaptureError) -> RecordingResult {
    defer { munlockall() }
    // Before everything that it should not inherit.
    let watchdog = try Watchdog()
    self.watchdog = watchdog
    defer { self.watchdog = nil }
    return try EndingSignals.handled(by: wakeUp) { () throws(CaptureError) -> RecordingResult in
      do throws(CaptureError) {
        switch options.target {
        case .command(let arguments): return try record(command: arguments)
        case .processes(let pids): return try record(pids, until: .processes(pids))
        case .host: return try record([], until: .nothing)
        }
      } catch {
        abandon()
        throw error
      }
    }
  }

  private func record(command arguments: [String]) throws(CaptureError) -> RecordingResult {
    // Forked first: the child must not hold descriptors of tracefs.
    let held = try HeldCommand.fork(arguments, as: options.user)
    do throws(CaptureError) {
      try prepare()
      try follow([held.pid])
      try startTracing()
    } catch {
      held.abandon()
      output?.discard()
      throw error
    }
    let command: RunningCommand
    do throws(CaptureError) {
      command = try held.release()
    } catch {
      output?.discard()
      throw error
    }
    do throws(CaptureError) {
      let end = try wait(for: .command(command))
      let result = try finish(end)
      switch end {
      case .commandEnded, .processesEnded: break
      case .durationOver, .signal: command.terminate()
      }
      return result
    } catch {
      command.terminate()
      throw error
    }
  }

  private func record(_ pids: [Int32], until awaited: Awaited) throws(CaptureError) -> RecordingResult {
    do throws(CaptureError) {
      try prepare()
      try follow(pids)
      try startTracing()
    } catch {
      output?.discard()
      throw error
    }
    try takeSnapshots()
    return try finish(try wait(for: awaited))
  }

  /// Undoes everything in the kernel after a failure; what was drained stays in the marked directory.
  private func abandon() {
    for drain in drains { drain.cancel() }
    drains = []
    do { try snapshotter?.finish() } catch { say(error.description) }
    snapshotter = nil
    do { try instances?.remove() } catch { say(error.description) }
    instances = nil
  }

  // Prepare

  private func prepare() throws(CaptureError) {
    // First, because it may be refused.
    let output = try OutputDirectory(creating: options.output, manifest: manifest)
    self.output = output
    tracefs.removeStaleInstances(say: say)
    tracefs.removeStaleProbes(say: say)
    if !events.missing.isEmpty { say("this kernel has no \(events.missing.joined(separator: " "))") }
    guard let watchdog else { preconditionFailure("recording without a watchdog") }
    let instances = try InstancePair(
      in: tracefs, settings: settings, events: events.events, probes: options.setsProbes ? WantedProbe.pins : [],
      under: watchdog)
    self.instances = instances
    if let probes = instances.probes { note(probes) }
    try describe(in: output)
    try makeDrains(output)
    snapshotter = try Snapshotter(
      markerPath: instances.task.path("trace_marker"), stoppingUnder: options.freezes ? watchdog : nil,
      pageSize: manifest.pageSize, file: CaptureDirectory(output.path).snapshotPath)
  }

  private func note(_ probes: DynamicProbes) {
    manifest.probes = CaptureManifest.Probes(
      set: probes.probes.map { $0.definition(in: WantedProbe.system) },
      refused: probes.refusals.map { .init(function: $0.probe.function, reason: $0.reason) })
    guard let refusal = probes.refusal else { return }
    let note = "pins are not recorded, because this kernel refuses probes (\(refusal))"
    manifest.notes.append(note)
    say(note)
  }

  private func instance(_ buffer: TraceBuffer) -> TraceInstance {
    guard let instances else { preconditionFailure("no instances yet") }
    return instances[buffer]
  }

  /// Writes what makes the directory readable from now on, should the recorder be killed.
  private func describe(in output: OutputDirectory) throws(CaptureError) {
    let refused = instances?.refused ?? []
    let recorded = described.filter { !refused.contains($0.title) }
    manifest.events = CaptureManifest.Events(
      wanted: WantedEvents.all.map(\.title) + (instances?.probes?.events ?? []).map(\.capturedTitle),
      enabled: recorded.map(\.capturedTitle),
      missing: events.missing + refused)
    manifest.bufferKiB = settings.kibibytesPerCPU
    let header = try traceDatWriter()
    try writing { () throws(TraceFileError) in
      let directory = CaptureDirectory(output.path)
      try header.writeHeader(to: directory.headerPath)
      try directory.writeRawBuffers(
        TraceBuffer.allCases.map {
          .init(name: $0.rawValue, clock: settings.clock, subBufferSize: header.subBufferSize, cpus: cpus)
        })
      try manifest.write(directory.manifestPath)
    }
  }

  /// With what the kernel refused to let wait for others, whose formats do no harm.
  private var described: [ChosenEvents.Event] { events.events + (instances?.probes?.events ?? []) }

  private func traceDatWriter() throws(CaptureError) -> TraceDatWriter {
    var writer = try TraceDatWriter(
      events: described, instance: instance(.host), tracefs: tracefs, cpuCount: manifest.cpuCount,
      clock: settings.clock)
    writer.uname = "Linux \(manifest.release) \(manifest.version ?? "") \(manifest.machine)"
    writer.recorder = manifest.recorder
    return writer
  }

  private func makeDrains(_ output: OutputDirectory) throws(CaptureError) {
    let size = try traceDatWriter().subBufferSize
    for cpu in cpus {
      var sources: [BufferDrain] = []
      for buffer in TraceBuffer.allCases {
        sources.append(
          try BufferDrain(
            buffer: buffer, cpu: cpu, source: instance(buffer).path("per_cpu/cpu\(cpu)/trace_pipe_raw"),
            subBufferSize: size, path: output.rawFile(buffer, cpu: cpu)))
      }
      drains.append(try CPUDrain(sources, failed: wakeUp))
    }
    for drain in drains { try drain.start() }
    // What is recorded may use up all memory: a recorder that has to be swapped in again comes late. What it has not
    // touched yet is locked when it is; where the limit (RLIMIT_MEMLOCK) forbids it, it has to do without. Not the
    // future too: what is mapped later must not fail by the limit.
    _ = mlockall(MCL_CURRENT | MCL_ONFAULT)
  }

  // Start

  /// Puts the processes, and the thread that looks at them, on the task instance's list.
  private func follow(_ pids: [Int32]) throws(CaptureError) {
    manifest.followedPIDs = pids
    guard !options.wholeHost else { return }
    let task = instance(.task)
    if let snapshotter { try task.write(String(snapshotter.threadID), to: "set_event_pid") }
    try FollowedTree.follow(pids, in: task)
  }

  private func startTracing() throws(CaptureError) { try instances?.start() }

  // Wait

  private enum Awaited {
    case command(RunningCommand)
    case processes([Int32])
    case nothing
  }

  private func wait(for awaited: Awaited) throws(CaptureError) -> RecordingEnd {
    var waiting = WaitSet(wakeUp: wakeUp)
    switch awaited {
    case .command(let command): waiting.add([command.pid])
    case .processes(let pids): waiting.add(pids)
    case .nothing: break
    }
    let start = WaitSet.now()
    var nextSnapshot = options.snapshotMilliseconds > 0 ? start + options.snapshotMilliseconds : nil
    let deadline = options.durationMilliseconds.map { start + $0 }
    while true {
      waiting.wait(until: [nextSnapshot, deadline].compactMap { $0 }.min())
      switch awaited {
      case .command(let command):
        if let status = command.statusIfEnded() { return .commandEnded(status) }
      case .processes:
        if waiting.isEmpty { return .processesEnded }
      case .nothing: break
      }
      if let signal = EndingSignals.received {
        try takeSnapshots()
        return .signal(signal)
      }
      for drain in drains { try drain.throwIfFailed() }
      let now = WaitSet.now()
      if let deadline, now >= deadline {
        try takeSnapshots()
        return .durationOver
      }
      if let due = nextSnapshot, now >= due {
        try takeSnapshots()
        // From the end of this one: looking at large processes must not become all that happens.
        nextSnapshot = max(due + options.snapshotMilliseconds, WaitSet.now())
      }
    }
  }

  private func followedProcesses() throws(CaptureError) -> [Int32] {
    options.wholeHost
      ? FollowedTree.allProcesses(excluding: [getpid(), watchdog?.pid ?? 0])
      : try FollowedTree.processes(in: instance(.task), excluding: [getpid()])
  }

  private func takeSnapshots() throws(CaptureError) { try snapshotter?.take(try followedProcesses()) }

  // Stop and write

  private func finish(_ end: RecordingEnd) throws(CaptureError) -> RecordingResult {
    var result = RecordingResult(end: end)
    result.remaining = try followedProcesses()
    if case .commandEnded = end { try snapshotter?.take(result.remaining) }
    result.interference = try instances?.interference() ?? []
    if !result.interference.isEmpty { manifest.interference = result.interference }
    try instances?.stop()
    try snapshotter?.finish()
    result.snapshots = snapshotter?.count ?? 0
    if let unreadable = snapshotter?.unreadable, !unreadable.isEmpty {
      let pids = unreadable.sorted().map(String.init).joined(separator: " ")
      manifest.notes.append("no snapshots, because their /proc files are closed even to root: \(pids)")
      say("no snapshots of \(pids): their /proc files may not be read")
    }
    var files: [TraceBuffer: [Int: String]] = [:]
    var bytes: [TraceBuffer: [Int: Int]] = [:]
    for drain in drains {
      for part in try drain.finish() {
        files[part.buffer, default: [:]][part.cpu] = part.path
        bytes[part.buffer, default: [:]][part.cpu] = part.bytesWritten
        result.bytes += part.bytesWritten
      }
    }
    drains = []
    try readStatistics(bytes, into: &result)
    let writer = try traceDatWriter()
    manifest.probes?.missed = instances?.probes?.missed() ?? 0
    try instances?.remove()
    instances = nil
    watchdog?.dismiss()
    try write(writer, files, result)
    return result
  }

  private func readStatistics(
    _ bytes: [TraceBuffer: [Int: Int]], into result: inout RecordingResult
  ) throws(CaptureError) {
    result.bufferKiB = settings.kibibytesPerCPU
    for buffer in TraceBuffer.allCases {
      let statistics = try cpus.map { cpu throws(CaptureError) in
        BufferStatistics(cpu: cpu, text: try instance(buffer).read("per_cpu/cpu\(cpu)/stats"))
      }
      for one in statistics {
        result.records += one.read
        result.lost += one.lost
        manifest.cpuStats.append(
          .init(
            buffer: buffer.rawValue, cpu: one.cpu, entries: UInt64(one.entries),
            overrun: UInt64(one.overrun + one.commitOverrun), dropped: UInt64(one.dropped),
            bytes: UInt64(bytes[buffer]?[one.cpu] ?? 0), read: UInt64(one.read)))
      }
      let kept = bytes[buffer]?.values.reduce(0, +) ?? 0
      if let size = BufferStatistics.sufficientBufferKiB(
        statistics, current: settings.kibibytesPerCPU, bytesKept: kept)
      {
        result.sufficientBufferKiB = max(size, result.sufficientBufferKiB ?? 0)
      }
    }
  }

  private func write(
    _ writer: TraceDatWriter, _ files: [TraceBuffer: [Int: String]], _ result: RecordingResult
  ) throws(CaptureError) {
    guard let output else { return }
    manifest.endTime = HostFacts.secondsSince1970()
    manifest.snapshotCount = result.snapshots
    manifest.suggestedBufferKiB = result.sufficientBufferKiB
    if case .commandEnded(let status) = result.end { manifest.commandStatus = status }
    try writing { () throws(TraceFileError) in
      let directory = CaptureDirectory(output.path)
      let cut = try writer.write(
        to: directory.tracePath,
        buffers: TraceBuffer.allCases.map { .init(name: $0.rawValue, files: files[$0] ?? [:]) })
      for tail in cut { manifest.notes.append("\(tail.bytes) bytes at the end of \(tail.file) make no sub-buffer") }
      try manifest.write(directory.manifestPath)
    }
    try output.complete()
  }

  private func writing(_ body: () throws(TraceFileError) -> Void) throws(CaptureError) {
    do throws(TraceFileError) {
      try body()
    } catch {
      throw .output(error)
    }
  }
}
