// SPDX-License-Identifier: GPL-2.0-only

/// The kernel path at which an entry came to hold a verdict.
package enum Transition: String, Sendable, CaseIterable, BitwiseCopyable {
  case create = "create"
  case anonymousFault = "anon-fault"
  case fileCopy = "file-copy"
  case writeFault = "wp-fault"
  case unshare = "unshare"
  case swapOut = "swap-out"
  case swapIn = "swap-in"
  case swapOff = "swapoff"
  case fork = "fork"
  case forkAbort = "fork-abort"
  case zap = "zap"
  case dontNeed = "dontneed"
  case exit = "exit"
  case mprotect = "mprotect"
  case mremap = "mremap"
  case madvFree = "madv-free"
  case lazyfree = "lazyfree-discard"
  case guards = "guard"
  case migrationSet = "migration-set"
  case migrationRestore = "migration-restore"
  case ksm = "ksm"
  case thpFault = "thp-fault"
  case pmdSplit = "pmd-split"
  case folioSplit = "folio-split"
  case collapse = "collapse"
  case pin = "pin"
  case userfault = "userfaultfd"
  case softDirty = "soft-dirty"
  case numa = "numa"
  case deviceMemory = "device-memory"
  case hugetlb = "hugetlb"
  case hwpoison = "hwpoison"
  case reclaim = "reclaim"
  case store = "store"
  case snapshot = "snapshot"

  /// In the order above, from 0. Asked for every divergence and step: a search of `allCases` compares names.
  var position: Int { Int(unsafe unsafeBitCast(self, to: UInt8.self)) }
}
