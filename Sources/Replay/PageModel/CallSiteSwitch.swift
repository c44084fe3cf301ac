// SPDX-License-Identifier: GPL-2.0-only

/// A place in the kernel that has to change for encoding B or C (docs/semantics.md, "Encoding B", "Encoding C").
/// Off means "that site was forgotten". A has policies instead of switches.
package enum CallSiteSwitch: String, Sendable, CaseIterable, BitwiseCopyable {
  case bForkAlloc = "b.fork.alloc"
  case bForkSetParent = "b.fork.set.parent"
  case bForkSetChild = "b.fork.set.child"
  case bForkNonpresent = "b.fork.nonpresent"
  case bSwapinAlloc = "b.swapin.alloc"
  case bStable = "b.stable"
  case bRestoreAlloc = "b.restore.alloc"
  case bInstallClear = "b.install.clear"
  case bReuseClear = "b.reuse.clear"
  case bKSM = "b.ksm"
  case bMove = "b.move"
  /// Half of `b.move`: a 0 is written at the destination too.
  case bMoveZero = "b.move.zero"
  case bMoveTable = "b.movetable"
  case bMovePMD = "b.movepmd"
  case bSplitFill = "b.split.fill"
  case bDepositReset = "b.deposit.reset"
  case bFree = "b.free"
  case bGUPFast = "b.gupfast"
  case bDevPriv = "b.devpriv"
  case bMulti = "b.multi"
  case cFork = "c.fork"
  case cDirtyMove = "c.dirtymove"
  case cUBC = "c.ubc"
  case cForkMig = "c.fork.mig"
  case cMprotect = "c.mprotect"
  case cBatch = "c.batch"
  case cContPTE = "c.contpte"
  case cSwapin = "c.swapin"
  case cUnshare = "c.unshare"
  case cForce = "c.force"
  case cHugetlb = "c.hugetlb"
  case cMadvFree = "c.madvfree"
  case cDirtyRead = "c.dirtyread"
  case cMig = "c.mig"
  case cSoftDirty = "c.sd"
  case cUffd = "c.uffd"
  case cNUMA = "c.numa"
  case cZero = "c.zero"
  case cShadowStack = "c.shstk"
  case cHardwareDirty = "c.hwd"
  case cDevPriv = "c.devpriv"
  case cDevExcl = "c.devexcl"

  /// The switches a user means by a name: one, or both halves of `b.fork.set`. Empty when unknown.
  package static func named(_ name: String) -> [CallSiteSwitch] {
    if name == "b.fork.set" { return [.bForkSetParent, .bForkSetChild] }
    return CallSiteSwitch(rawValue: name).map { [$0] } ?? []
  }

  var position: UInt64 {
    switch self {
    case .bForkAlloc: 0
    case .bForkSetParent: 1
    case .bForkSetChild: 2
    case .bForkNonpresent: 3
    case .bSwapinAlloc: 4
    case .bStable: 5
    case .bRestoreAlloc: 6
    case .bInstallClear: 7
    case .bReuseClear: 8
    case .bKSM: 9
    case .bMove: 10
    case .bMoveTable: 11
    case .bMovePMD: 12
    case .bSplitFill: 13
    case .bDepositReset: 14
    case .bFree: 15
    case .bGUPFast: 16
    case .bDevPriv: 17
    case .bMulti: 18
    case .cFork: 19
    case .cDirtyMove: 20
    case .cUBC: 21
    case .cForkMig: 22
    case .cMprotect: 23
    case .cBatch: 24
    case .cContPTE: 25
    case .cSwapin: 26
    case .cUnshare: 27
    case .cForce: 28
    case .cHugetlb: 29
    case .cMadvFree: 30
    case .cDirtyRead: 31
    case .cMig: 32
    case .cSoftDirty: 33
    case .cUffd: 34
    case .cNUMA: 35
    case .cZero: 36
    case .cShadowStack: 37
    case .cHardwareDirty: 38
    case .cDevPriv: 39
    case .cDevExcl: 40
    case .bMoveZero: 41
    }
  }
}

/// Which call sites are done. All on is the finished proposal.
package struct SwitchSet: Sendable, Equatable, BitwiseCopyable {
  private var off: UInt64 = 0

  package static let allOn = SwitchSet()

  package init() {}

  package init(without switches: [CallSiteSwitch]) {
    for one in switches { remove(one) }
  }

  package mutating func remove(_ one: CallSiteSwitch) { off |= 1 &<< one.position }

  @inline(__always)
  package func contains(_ one: CallSiteSwitch) -> Bool { off & (1 &<< one.position) == 0 }
}
