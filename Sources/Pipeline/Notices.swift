// SPDX-License-Identifier: GPL-2.0-only

/// What an analysis has to say on its way. It may say it on any thread, on one at a time.
package struct Notices: Sendable {
  /// What the user should know even without asking.
  package var warn: @Sendable (String) -> Void
  /// For those who ask for more.
  package var detail: @Sendable (String) -> Void
  /// So many records of the capture were read; `nil` when the walk is over.
  package var reached: @Sendable (UInt64?) -> Void

  package init(
    warn: @escaping @Sendable (String) -> Void = { _ in }, detail: @escaping @Sendable (String) -> Void = { _ in },
    reached: @escaping @Sendable (UInt64?) -> Void = { _ in }
  ) {
    (self.warn, self.detail, self.reached) = (warn, detail, reached)
  }
}
