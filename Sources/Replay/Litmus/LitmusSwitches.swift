// SPDX-License-Identifier: GPL-2.0-only

/// The call-site switches by the names litmus files use (docs/semantics.md, "Encoding B", "Encoding C").
package enum LitmusSwitches {
  /// M-01..M-10: of a batch, the flag of the right page (docs/semantics.md, "mprotect").
  static let mprotectPage = "mprotect.page"

  /// C-13b, C-13c: a run of a lazyfree folio ends where the write bit changes (docs/semantics.md, "Known defects").
  static let lazyfreeWrite = "lazyfree.write"

  package static func names(of encoding: EncodingID) -> [String] {
    if encoding == .baseline { return [mprotectPage, lazyfreeWrite] }
    let sites = EncodingRegistry.encoding(encoding)?.callSites.map(\.rawValue) ?? []
    return sites.contains(CallSiteSwitch.bForkSetParent.rawValue) ? sites + ["b.fork.set"] : sites
  }
}
