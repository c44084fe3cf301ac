// SPDX-License-Identifier: GPL-2.0-only

/// The call-site switches by the names litmus files use (`pae-semantics` 3.2, 3.3).
package enum LitmusSwitches {
  /// M-01..M-10: the right page, of seed 002.
  static let mprotectPage = "mprotect.page"

  package static func names(of encoding: EncodingID) -> [String] {
    switch encoding {
    case .baseline: [mprotectPage]
    case .aAndLazy, .aAndEager, .aOr, .cRaw: []
    case .b: all("b.") + ["b.fork.set"]
    case .cStrict: all("c.")
    }
  }

  private static func all(_ prefix: String) -> [String] {
    CallSiteSwitch.allCases.map(\.rawValue).filter { $0.hasPrefix(prefix) }
  }
}
