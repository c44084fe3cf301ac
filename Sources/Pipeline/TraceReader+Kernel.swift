// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents
import Normalize
package import TraceFile

/// What the recording kernel is taken for, and what its records can show.
extension TraceReader {
  /// The kernel that recorded, as far as the capture or the user names it.
  var kernel: KernelFacts.Release { release.map { KernelFacts.release($0) } ?? .notUnderstood }

  /// What is particular to that kernel: the nearest there is.
  private var kernelFacts: KernelFacts {
    var facts =
      switch kernel {
      case .known(let facts): facts
      case .withoutAnonExclusive: KernelFacts.v6_1
      case .notUnderstood: KernelFacts.newest
      }
    // It is no choice: `CONFIG_PT_RECLAIM` is there where the architecture has it.
    if let configuration = capture?.manifest?.kernelConfig, !configuration.isEmpty {
      facts.reclaimsEmptyTables = configuration["CONFIG_PT_RECLAIM"] == "y"
    }
    return facts
  }

  /// It shows when a folio leaves a CPU's LRU-add batch.
  var seesLRUInsertion: Bool { has("mm_lru_insertion") }

  /// Only x86 (and riscv) has events of page faults, and only where somebody enabled them.
  var seesFaults: Bool { has("page_fault_user") }

  /// The copy of a huge page of hugetlb's shows by it alone.
  var seesFlushes: Bool { has("tlb_flush") }

  /// What would be in the records had it happened, as the recorder says: a killed one said what it had begun with.
  var promised: Capabilities {
    guard let manifest = capture?.manifest else { return Capabilities() }
    var promised = Normalizer.capabilities(ofEvents: manifest.events.enabled)
    if manifest.snapshotCount > 0 { promised.insert(.snapshots) }
    return promised
  }

  /// Whether there are records of a decisive event: formats are in every file of trace-cmd.
  private func has(_ event: String) -> Bool { present(Normalizer.decisiveEvents).contains(event) }

  func makeNormalizer() throws -> Normalizer {
    do {
      return try Normalizer(
        formats: formats, pageSize: pageSize, kernel: kernelFacts, machine: machine,
        absent: Normalizer.decisiveEvents.subtracting(present(Normalizer.decisiveEvents)))
    } catch {
      throw AnalysisError(path: name, reason: "\(error.reason); \(summary().contentsInBrief)")
    }
  }

  /// Files of trace-cmd end `uname` with the machine; text shows it by its events.
  package var machine: Machine {
    let manifest = capture?.manifest
    let name =
      manifest?.machine ?? metadata.machine ?? metadata.kernel?.split(separator: " ").last.map(String.init) ?? "x86_64"
    return Machine(name, kernel: kernelFacts, configuration: manifest?.kernelConfig ?? [:])
  }
}

extension TraceSummary {
  /// What there is instead of what was looked for: the most frequent events, and lines that were refused.
  fileprivate var contentsInBrief: String {
    var counts = events
    for case (.event(let name), let count) in lines?.ignored ?? [:] { counts[name, default: 0] += count }
    let refused = (lines?.refused ?? [:]).sorted { $0.value.firstLine < $1.value.firstLine }.prefix(3).map {
      "line \($0.value.firstLine): \($0.key.event): \($0.key.reason)"
    }
    let most = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(8).map { "\($0.key) \($0.value)" }
    let found = most.isEmpty ? "it holds no event at all" : "it holds " + most.joined(separator: ", ")
    return ([found] + refused).joined(separator: "; ")
  }
}
