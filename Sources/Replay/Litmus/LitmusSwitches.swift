// SPDX-License-Identifier: GPL-2.0-only

/// The call-site switches by the names litmus files use (`pae-semantics` 3.2, 3.3).
package enum LitmusSwitches {
  package static let b = [
    "b.fork.alloc", "b.fork.set", "b.fork.set.parent", "b.fork.set.child", "b.fork.nonpresent", "b.swapin.alloc",
    "b.stable", "b.restore.alloc",
    "b.install.clear", "b.reuse.clear", "b.ksm", "b.move", "b.move.zero", "b.movetable", "b.movepmd", "b.split.fill",
    "b.deposit.reset", "b.free", "b.gupfast", "b.devpriv", "b.multi",
  ]

  /// M-01..M-10: the wrong page of seed 002.
  package static let baseline = ["mprotect.page"]

  package static let c = [
    "c.fork", "c.dirtymove", "c.ubc", "c.fork.mig", "c.mprotect", "c.batch", "c.contpte", "c.swapin", "c.unshare",
    "c.force", "c.hugetlb", "c.madvfree", "c.dirtyread", "c.mig", "c.sd", "c.uffd", "c.numa", "c.zero", "c.shstk",
    "c.hwd", "c.devpriv", "c.devexcl",
  ]

  package static func names(of encoding: EncodingID) -> [String] {
    switch encoding {
    case .baseline: baseline
    case .aAndLazy, .aAndEager, .aOr: []
    case .b: b
    case .cRaw: []
    case .cStrict: c
    }
  }
}
