// SPDX-License-Identifier: GPL-2.0-only

/// Results of cells (a row in one geometry, size, encoding), one a line:
/// `F-01 geometry=one pages=2 A-and-lazy rules=- sc: violated I1-BREAK`.
package struct CellExpectations: Sendable {
  private var verdicts: [String: [String]] = [:]

  init() {}

  /// The verdicts expected, none for "holds"; `nil`: nothing is known of the cell.
  package func verdicts(of cell: String) -> [String]? { verdicts[cell] }
  package var isEmpty: Bool { verdicts.isEmpty }

  mutating func add(text: String, file: String) throws(ModelError) {
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let content = line.prefix { $0 != "#" }.trimmed
      guard !content.isEmpty else { continue }
      func error(_ reason: String) -> ModelError { ModelError(file: file, line: index + 1, reason: reason) }
      guard let colon = content.firstIndex(of: ":") else { throw error("'CELL: RESULT' is expected") }
      let cell = content[..<colon].trimmed
      let words = content[content.index(after: colon)...].split(separator: " ").map(String.init)
      switch words.first {
      case "holds" where words.count == 1: verdicts[cell] = []
      case "violated" where words.count > 1: verdicts[cell] = words.dropFirst().sorted()
      default: throw error("neither 'holds' nor 'violated VERDICT ...'")
      }
    }
  }
}
