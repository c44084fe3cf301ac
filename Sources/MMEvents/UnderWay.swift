// SPDX-License-Identifier: GPL-2.0-only

/// What a task is in the middle of: it may have changed an mm already, and tells when it is through.
public enum UnderWay: Sendable, Equatable, BitwiseCopyable {
  /// A fault that nothing has shown to be through. It makes page tables, then takes a folio, then maps it
  /// (`__handle_mm_fault`): the table can be there for long before anything is told.
  case fault(VirtualPage, FaultAccess)
  /// A call that fills the range, maps it or takes it away.
  case call(PageRange)
}
