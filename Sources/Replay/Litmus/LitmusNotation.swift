// SPDX-License-Identifier: GPL-2.0-only

/// A process of the scenario, by its letter.
package struct LitmusProcess: Sendable, Hashable {
  package var name: String

  package init(name: String) { self.name = name }
}

/// `P0`, `P0..3`: entries of one process, both ends included.
package struct LitmusEntryRange: Sendable, Hashable {
  package var process: LitmusProcess
  package var pages: ClosedRange<Int>

  package init(process: LitmusProcess, pages: ClosedRange<Int>) {
    self.process = process
    self.pages = pages
  }

  package var description: String {
    pages.count == 1
      ? "\(process.name)\(pages.lowerBound)" : "\(process.name)\(pages.lowerBound)..\(pages.upperBound)"
  }
}

/// What is claimed after the step above it.
package struct LitmusExpectation: Sendable {
  /// Whose world is looked at; `nil`: today's kernel.
  package var configuration: LitmusConfiguration?
  package var claims: [LitmusClaim]
}

package enum LitmusClaim: Sendable {
  /// `P0..3=F.0 WD+`: page `i` of the range maps page `i` of the folio counted from the named one.
  case entry(LitmusEntryRange, LitmusEntry)
  /// `Q=gone`: the process does not exist (any more).
  case gone(LitmusProcess)
  /// `F refs 2`, `F dirty`, `F.0 PAE 1`.
  case folio(LitmusFolioFact)
  /// The operation came back with an error (`fails`), leaving what the other claims say.
  case fails
  /// `Q0 reads stored`, `Q0 reads zeros`: what a load from there would see.
  case content(LitmusEntryRange, LitmusContent)
  /// `P3 table present`, `P3 table absent`: the page table that would hold the entry.
  case table(LitmusEntryRange, present: Bool)
}

package enum LitmusContent: String, Sendable, CaseIterable {
  /// The value last stored there.
  case stored
  case zeros
}

package struct LitmusFolioFact: Sendable {
  package enum Fact: Sendable, Equatable {
    case references(Int)
    case mapCount(Int)
    case pins(Int)
    case dirty(Bool)
    case lazyFree(Bool)
    case swapCache(Bool)
    case writeback(Bool)
    case ksm(Bool)
    case order(Int)
    /// The page bit itself, also of a page that nothing maps.
    case pageAnonExclusive(page: Int, Bool)
  }

  package var folio: String
  package var fact: Fact
}

/// One page-table entry in the notation of fixtures/litmus/README.md.
package enum LitmusEntry: Sendable, Equatable {
  case none
  /// The process has no VMA there.
  case noVMA
  /// A page-cache page.
  case file
  case zeroPage(LitmusBits)
  case present(LitmusMapping, LitmusBits, LitmusExclusive)
  case swap(exclusive: Bool, LitmusBits)
  case migration(LitmusMigration, LitmusBits)
  case devicePrivate(writable: Bool, LitmusExclusive, LitmusBits)
  case deviceExclusive(LitmusExclusive, LitmusBits)
  case hwpoison
  case marker(LitmusMarker)
}

package enum LitmusMigration: String, Sendable, CaseIterable {
  case write = "W"
  case readExclusive = "Rx"
  case read = "R"
}

package enum LitmusMarker: String, Sendable, CaseIterable {
  case userfaultWriteProtect = "uffd-wp"
  case poisoned
  case guardPage = "guard"
}

/// What a present entry maps.
package struct LitmusMapping: Sendable, Equatable {
  /// `nil`: whatever it is (`*`).
  package var folio: String?
  package var page: Int
  /// One PMD (or hugetlb) entry maps the whole folio.
  package var huge: Bool
  package var ksm: Bool

  package init(folio: String?, page: Int, huge: Bool = false, ksm: Bool = false) {
    self.folio = folio
    self.page = page
    self.huge = huge
    self.ksm = ksm
  }
}

/// The suffix `+` or `-`.
package enum LitmusExclusive: Sendable, Equatable {
  case exclusive, notExclusive
}

/// `rDs`, `WD`, `rcU`. `nil`: the notation does not say.
package struct LitmusBits: Sendable, Equatable {
  package var writable: Bool?
  package var dirty: Bool?
  package var softDirty: Bool?
  /// Not written means clear.
  package var userfaultWriteProtect = false
  /// Not written means clear.
  package var protnone = false

  package init(writable: Bool? = nil, dirty: Bool? = nil, softDirty: Bool? = nil) {
    self.writable = writable
    self.dirty = dirty
    self.softDirty = softDirty
  }
}
