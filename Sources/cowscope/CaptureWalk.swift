// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Normalize
import Replay
import TraceFile

/// A pass over the records of a capture, turned into events.
struct CaptureWalk {
  let reader: TraceReader
  let verbosity: Verbosity

  /// What walking over the records told besides the events.
  struct Summary: Sendable {
    var records: UInt64 = 0
    var firstTime: UInt64?
    var lastTime: UInt64 = 0
    var addressSpaces: UInt64 = 0
    var counters = NormalizeCounters()

    var spanNanoseconds: UInt64 { firstTime.map { lastTime - $0 } ?? 0 }
  }

  /// Hands over batches of events until `body` says that it has enough by returning `false`. `ahead`: the reading goes on
  /// on a thread of its own meanwhile.
  func run(ahead: Bool, _ body: ([MMEventRecord]) throws -> Bool) throws -> Summary {
    ahead ? try runAhead(body) : try runHere(body)
  }

  private func runHere(_ body: ([MMEventRecord]) throws -> Bool) throws -> Summary {
    try read(atLeast: 1) { events in
      defer { events.removeAll(keepingCapacity: true) }
      return try body(events)
    }
  }

  private func runAhead(_ body: ([MMEventRecord]) throws -> Bool) throws -> Summary {
    let queue = EventQueue<Result<Summary, any Error>>()
    // Until it is joined, the thread alone uses the reader.
    nonisolated(unsafe) let walk = self
    let thread = JoinedThread {
      queue.finish(Result { try unsafe walk.read(atLeast: Self.batchSize) { queue.put(&$0) } })
    }
    guard let thread else { return try runHere(body) }
    let used = Result {
      var events: [MMEventRecord] = []
      while queue.take(&events) { guard try body(events) else { return } }
    }
    let outcome = queue.close()
    thread.join()
    try used.get()
    return try outcome.get()
  }

  /// Events worth waking another thread for.
  private static let batchSize = 4096

  private func read(atLeast count: Int, _ deliver: (inout [MMEventRecord]) throws -> Bool) throws -> Summary {
    var normalizer = try Normalizer(
      formats: reader.formats, pageSize: reader.pageSize, kernel: reader.kernelFacts ?? .v7_3, machine: reader.machine)
    var batch = RecordBatch()
    var events: [MMEventRecord] = []
    var summary = Summary()
    var progress = Progress(verbosity)
    defer { progress.end() }
    while reader.nextBatch(into: &batch) {
      summary.firstTime = summary.firstTime ?? batch[0].timestamp
      summary.lastTime = batch[batch.count - 1].timestamp
      summary.records += UInt64(batch.count)
      normalizer.consume(batch, into: &events)
      progress.reached(summary.records)
      guard events.count >= count else { continue }
      guard try deliver(&events) else { return summary }
    }
    normalizer.finish(into: &events)
    _ = try deliver(&events)
    summary.addressSpaces = normalizer.addressSpaces
    summary.counters = normalizer.counters
    return summary
  }
}

extension TraceReader {
  /// What is particular to the kernel that recorded; `nil` when the capture does not name it, or one too old.
  var kernelFacts: KernelFacts? { release.flatMap { KernelFacts.forRelease($0) } }

  /// Only x86 (and riscv) has events of page faults.
  var limits: [CaptureLimit] { formats.id(ofName: "page_fault_user") == nil ? [.noPageFaults] : [] }

  /// Files of trace-cmd end `uname` with the machine; text says nothing and is taken for x86.
  var machine: Machine {
    let manifest = capture?.manifest
    let name = manifest?.machine ?? metadata.kernel?.split(separator: " ").last.map(String.init) ?? "x86_64"
    return Machine(name, kernel: kernelFacts ?? .v7_3, configuration: manifest?.kernelConfig ?? [:])
  }
}
