// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

extension Gap {
  /// The row of the table as `list gaps` and `explain` show it.
  var catalogueEntry: CatalogueEntry {
    let row = description
    return CatalogueEntry(
      name: row.name, summary: row.sentence,
      text: """
        A gap: something that was not read, not followed or not explained. Counted in \(row.unit), noticed by the \
        \(row.origin.rawValue).

        Severity \(row.severity.rawValue): \(row.severity.meaning)
        """)
  }
}

extension Gap.Severity {
  fileprivate var meaning: String {
    switch self {
    case .info: "nothing is known the less for it."
    case .doubt: "each counts as one thing that is unknown."
    case .loss: "something that happened is not in what was replayed. The result is not to be relied on."
    }
  }
}
