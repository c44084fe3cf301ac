// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// One worked example: what happens to memory, what today's kernel makes of it, and what each encoding does wrong.
///
/// The text format is described in `fixtures/litmus/README.md`.
package struct LitmusScenario: Sendable {
  /// `A-07`, `C-11b`: the name by which reports speak of it.
  package var id: String
  package var title: String
  /// Where the story comes from.
  package var source: String
  package var file: String
  package var line: Int
  /// The kernels it runs on; 7.3 alone unless the file says otherwise.
  package var kernels: [LitmusKernel]
  package var machine: LitmusMachine
  package var lines: [LitmusStatement]

  /// The configurations it speaks of, in order of first mention.
  package var configurations: [LitmusConfiguration] {
    var seen: [LitmusConfiguration] = []
    for case .verdict(let statement) in lines.map(\.body) {
      for configuration in statement.configurations where !seen.contains(configuration) { seen.append(configuration) }
    }
    return seen
  }
}

/// The rows of `KernelFacts`, in order.
package enum LitmusKernel: Int, Sendable, CaseIterable, Comparable {
  case v6_1, v6_12, v6_18, v7_3

  package init?(name: Substring) {
    guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = found
  }

  package var facts: KernelFacts {
    switch self {
    case .v6_1: .v6_1
    case .v6_12: .v6_12
    case .v6_18: .v6_18
    case .v7_3: .v7_3
    }
  }

  package var name: String { facts.name }

  package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// The parts of the machine that are not memory.
package struct LitmusMachine: Sendable, Equatable {
  package enum Architecture: String, Sendable, CaseIterable {
    case x86
    /// A CPU that may set Dirty in a PTE that lost its write bit meanwhile (no CET guarantee).
    case x86WithoutCET = "x86-no-cet"
    case arm64
    /// Two page tables share one page, one ptdesc and one lock (s390, powerpc).
    case twoTablesPerPage = "two-tables-per-page"
  }

  package var architecture: Architecture = .x86
  /// The swap device wants pages unchanged while they are written (`SWP_STABLE_WRITES`).
  package var swapNeedsStableWrites = false
}

/// A statement with the line that made it and the kernels it is for.
package struct LitmusStatement: Sendable {
  package enum Body: Sendable {
    case step(LitmusOperation)
    case expect(LitmusExpectation)
    case verdict(LitmusVerdict)
    case cost(LitmusCost)
  }

  package var line: Int
  /// `nil`: on every kernel.
  package var kernels: [LitmusKernel]?
  /// As written, without the indentation: for explanations.
  package var text: String
  package var body: Body

  package func applies(to kernel: LitmusKernel) -> Bool { kernels?.contains(kernel) ?? true }
}

/// An encoding together with what was forgotten or decided otherwise.
package struct LitmusConfiguration: Sendable, Hashable {
  package var encoding: EncodingID
  /// Call sites switched off (`b.fork.set`).
  package var without: [String]
  /// Design choices that are not omissions.
  package var with: [LitmusChoice]

  package init(_ encoding: EncodingID, without: [String] = [], with: [LitmusChoice] = []) {
    self.encoding = encoding
    self.without = without
    self.with = with
  }

  package var description: String {
    var text = encoding.rawValue
    if !without.isEmpty { text += " without " + without.joined(separator: ", ") }
    if !with.isEmpty { text += " with " + with.map(\.rawValue).joined(separator: ", ") }
    return text
  }
}

/// What a proposal leaves open, or a way of doing a site wrong that is more than leaving it out.
package enum LitmusChoice: String, Sendable, CaseIterable {
  /// A: a folio's flag is set by its first restored writable migration entry.
  case flagOnFirstWriteEntry = "flag-on-first-write-entry"
  /// A: a shared page of a pinned folio clears its flag.
  case clearPinned = "clear-pinned"
  /// A: a shared page of a pinned folio leaves its flag.
  case keepPinned = "keep-pinned"
  /// B: fork fails when a bitmap cannot be allocated.
  case noMemoryAbort = "nomem-abort"
  /// B: fork copies instead, as for pinned pages.
  case noMemoryCopy = "nomem-copy"
  /// B: KSM attaches a bitmap to the table it saw before it took the PTL.
  case ksmKeepsTable = "ksm-keeps-table"
  /// B: KSM drops the bitmap it allocated without freeing it.
  case ksmForgetsBitmap = "ksm-forgets-bitmap"
  /// B: fork fills the table at the head of the deposit list.
  case fillDepositAtFork = "fill-deposit-at-fork"
  /// B: device-private entries without a bit count as shared.
  case devicePrivateDefaultShared = "devpriv-default-shared"
  /// C: a read-only device-private entry counts as exclusive.
  case devicePrivateReadIsExclusive = "devpriv-read-is-exclusive"
  /// C: hardware Dirty on a read-only entry is thrown away.
  case hardwareDirtyDiscarded = "hwd-discarded"
  /// C: `pte_mkdirty` sets exclusivity, and soft-dirty with it.
  case mkdirtySetsSoftDirty = "mkdirty-sets-soft-dirty"
}

/// `verdict B without b.move: P512 UNSAFE; Q0 OK`
package struct LitmusVerdict: Sendable {
  /// What a group of entries, or the step as a whole, came to.
  package struct Group: Sendable {
    /// Empty: the statement is about the step itself (`FAIL`, `COST`), or, with `ok`, about every entry.
    package var entries: [LitmusEntryRange]
    package var outcomes: [LitmusOutcome]
  }

  package var configurations: [LitmusConfiguration]
  package var groups: [Group]
}

/// The words of a verdict line.
package enum LitmusOutcome: Sendable, Hashable {
  case verdict(Verdict)
  /// Reported in addition to the verdict, at the operation that caused it.
  case lost
  case label(LitmusLabel)

  package init?(word: Substring) {
    if word == "LOST" {
      self = .lost
    } else if let verdict = Verdict(rawValue: String(word)) {
      self = .verdict(verdict)
    } else if let label = LitmusLabel(rawValue: String(word)) {
      self = .label(label)
    } else {
      return nil
    }
  }

  package var word: String {
    switch self {
    case .verdict(let verdict): verdict.rawValue
    case .lost: "LOST"
    case .label(let label): label.rawValue
    }
  }
}

/// Consequences that belong to no entry bit.
package enum LitmusLabel: String, Sendable, CaseIterable {
  /// The operation fails where the baseline's succeeds.
  case fail = "FAIL"
  /// A bitmap is used after it was freed.
  case useAfterFree = "UAF"
  case leak = "LEAK"
  /// A debug check of the baseline is impossible.
  case noCheck = "NOCHECK"
  /// A debug check finds what must not be.
  case warning = "WARN"
  /// Extra I/O, fault or memory, nothing else.
  case cost = "COST"
}

/// `cost B: bitmaps 1024, bitmap-bytes 65536`: what the step before it cost this configuration.
package struct LitmusCost: Sendable {
  package var configuration: LitmusConfiguration
  package var figures: [(name: String, value: Int)]
}
