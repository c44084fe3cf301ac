// SPDX-License-Identifier: GPL-2.0-only

/// The call-site switches by the names litmus files use (docs/semantics.md, "Encoding B", "Encoding C").
package enum LitmusSwitches {
  /// M-01..M-10: of a batch, the flag of the right page (docs/semantics.md, "mprotect").
  static let mprotectPage = "mprotect.page"

  package static func names(of encoding: EncodingID) -> [String] {
    if encoding == .baseline { return [mprotectPage] }
    let sites = EncodingRegistry.encoding(encoding)?.callSites.map(\.rawValue) ?? []
    return sites.contains(CallSiteSwitch.bForkSetParent.rawValue) ? sites + ["b.fork.set"] : sites
  }
}
