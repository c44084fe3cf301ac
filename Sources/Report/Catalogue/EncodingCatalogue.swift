// SPDX-License-Identifier: GPL-2.0-only

import Replay

/// The encodings of the registry, an audit before the proposal it belongs to.
enum EncodingCatalogue {
  static var all: [CatalogueEntry] { EncodingRegistry.all.flatMap(entries) }

  /// Those that a replay has unasked.
  static var listed: [CatalogueEntry] { EncodingRegistry.all.filter { $0.role != .variant }.flatMap(entries) }

  private static func entries(of encoding: any Encoding.Type) -> [CatalogueEntry] {
    (encoding.audit.map { [entry($0.id, $0.description, [])] } ?? [])
      + [entry(encoding.id, encoding.description, encoding.callSites)]
  }

  static func summary(of id: EncodingID) -> String { all.first { $0.name == id.rawValue }?.summary ?? "" }

  private static func entry(
    _ id: EncodingID, _ description: EncodingDescription, _ callSites: [CallSiteSwitch]
  ) -> CatalogueEntry {
    let sites = callSites.isEmpty ? "" : "\n\nCall sites: \(callSites.map(\.rawValue).joined(separator: ", "))."
    return CatalogueEntry(
      name: id.rawValue, summary: description.summary, text: description.text + sites, source: description.source)
  }
}
