// SPDX-License-Identifier: GPL-2.0-only

/// What an operation did in one world.
package enum Outcome: Sendable, Equatable, BitwiseCopyable {
  /// Done; no page was allocated or given up.
  case done
  /// The operation found nothing it applies to.
  case nothing
  /// The entry was writable (or present, for a read) already: no fault.
  case noFault
  case zeroPageMapped
  /// A fresh folio was mapped where nothing (or the zero page) was.
  case installed(FolioID)
  /// The present page was kept.
  case reused(FolioID)
  /// `to` replaced `from` (`nil`: the zero page or a file page).
  case copied(from: FolioID?, to: FolioID)
  /// A swap entry became present.
  case swappedIn(FolioID)
  /// The operation fails: `FAIL` in a story.
  case failed(Failure)

  package enum Failure: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    /// -ENOMEM, or VM_FAULT_OOM.
    case noMemory
    /// -EBUSY, or the kernel backed off (pinned, locked, extra references).
    case busy
    /// SIGSEGV or -EFAULT.
    case fault
    /// GUP would loop for ever.
    case livelock
  }

  var keptPage: Bool {
    switch self {
    case .reused, .noFault: true
    case .done, .nothing, .zeroPageMapped, .installed, .copied, .swappedIn, .failed: false
    }
  }

  var tookFault: Bool {
    switch self {
    case .reused, .copied: true
    case .done, .nothing, .noFault, .zeroPageMapped, .installed, .swappedIn, .failed: false
    }
  }

  /// The folio the page is in afterwards, when the operation says.
  package var folio: FolioID? {
    switch self {
    case .installed(let folio), .reused(let folio), .copied(_, let folio), .swappedIn(let folio): folio
    case .done, .nothing, .noFault, .zeroPageMapped, .failed: nil
    }
  }
}

/// What the kernel was seen to do at a write-protection fault.
package enum WriteHint: Sendable, Equatable, BitwiseCopyable {
  /// Nothing was seen (or a litmus story): the model decides.
  case unobserved
  /// It copied. `hiddenReference`: the model sees no other user, so a reference exists that the trace hides.
  case copied(hiddenReference: Bool)
  case reused
}

/// What the model expects of a write-protection fault.
package enum Prediction: Sendable, Equatable, BitwiseCopyable {
  case mustReuse
  case mustCopy(ReuseObstacle)
  /// Both are possible, because of something the trace does not show.
  case eitherWay(UnknownReason)
  /// Nothing is mapped there, or it is writable already.
  case notMapped
  case alreadyWritable
  /// The zero page, or a file page: it is always replaced.
  case mustReplace
}
