// SPDX-License-Identifier: GPL-2.0-only

import Replay

/// The costs an encoding accounts for, in the order in which reports print them.
package enum CostCatalogue {
  package static let all: [CatalogueEntry] = CostKind.allCases.map { kind in
    CatalogueEntry(name: kind.name, summary: kind.definition, text: "A cost in the table of `replay`, in \(kind.unit).")
  }

  /// Costs of a result in the catalogue's order, then those it does not know by name: a result read back gives the
  /// same table as the replay did.
  static func names(in result: ReplayResult) -> [String] {
    let present = Set(result.encodings.flatMap { $0.costs.map(\.name) })
    let known = all.map(\.name).filter(present.contains)
    return known + present.subtracting(known).sorted()
  }
}
