// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// What copy on write came to in one address space.
package struct ProcessAccount: Sendable, Equatable {
  package var mm: MMID
  /// The first that acted in it and did not make it; `nil` where nobody did.
  package var task: TaskID?
  /// What the task was called at the end of the mm, or of the capture.
  package var name: String?
  /// Whose fork made it.
  package var parent: MMID?
  package var first: Sequence
  /// `.max` where it was in view to the end.
  package var last: Sequence
  package var forks: UInt64 = 0
  /// Pages that write faults copied, or kept.
  package var copies: UInt64 = 0
  package var reuses: UInt64 = 0

  package init(mm: MMID, task: TaskID? = nil, parent: MMID? = nil, first: Sequence, last: Sequence) {
    (self.mm, self.task, self.parent, self.first, self.last) = (mm, task, parent, first, last)
  }

  /// Of those whose mm was in view, a result tells so many.
  package static let mostTold = 64

  /// The one that copied more is told first, then the one that kept, or forked, more.
  package static func isTold(_ a: ProcessAccount, before b: ProcessAccount) -> Bool {
    (a.copies, a.reuses, a.forks, b.mm) > (b.copies, b.reuses, b.forks, a.mm)
  }
}
