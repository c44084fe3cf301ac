// SPDX-License-Identifier: GPL-2.0-only

/// The call-site switches by the names litmus files use (`pae-semantics` 3.2, 3.3).
package enum LitmusSwitches {
  /// M-01..M-10: the right page, of seed 002.
  static let mprotectPage = "mprotect.page"

  package static func names(of encoding: EncodingID) -> [String] {
    if encoding == .baseline { return [mprotectPage] }
    let sites = EncodingRegistry.encoding(encoding)?.callSites.map(\.rawValue) ?? []
    return sites.contains(CallSiteSwitch.bForkSetParent.rawValue) ? sites + ["b.fork.set"] : sites
  }
}
