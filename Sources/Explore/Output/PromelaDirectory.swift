// SPDX-License-Identifier: GPL-2.0-only

internal import FoundationEssentials

/// Where models for SPIN go, one file a cell.
package struct PromelaDirectory {
  private let path: String

  package init(_ path: String) { self.path = path }

  /// Only sequentially consistent cells: a process of SPIN runs in program order.
  package func write(_ cells: [ExploreCell], _ library: InterleavingLibrary) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for cell in cells where cell.variant.memory == .sc {
      guard let syntax = library.model(cell.row.model) else { continue }
      let model = try ModelBuilder.build(syntax, cell.row, cell.variant)
      let text = PromelaWriter.text(of: model, title: "\(cell.name): \(cell.row.title)")
      try text.write(toFile: "\(path)/\(cell.fileName).pml", atomically: true, encoding: .utf8)
    }
  }
}

extension ExploreCell {
  /// The name with nothing in it that a file name should not have.
  package var fileName: String {
    name.map { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "=" ? String($0) : "_" }.joined()
  }
}
