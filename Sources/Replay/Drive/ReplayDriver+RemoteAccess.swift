// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What others do to an mm at addresses that the trace does not tell, or not to the page (`process_vm_writev`).
extension ReplayDriver {
  mutating func accessedRemotely(_ mm: MMID?, _ range: PageRange?) {
    guard let mm, let range else {
      unseen.accessedRemotely(mm)
      return
    }
    noteTouched(mm, range)
    lockstep.doubts.add(mm, range, .remoteAccess)
  }

  /// Why a page may be exclusive with nothing to say so; a read makes only what nobody else maps so, and copies the rest.
  func accessCause(_ mm: MMID, _ page: VirtualPage) -> UnknownCause? {
    guard let cause = unseen.accessCause(mm) else { return nil }
    let isShared = !lockstep.baseline.memory.foreignObservers(mm, page, ofWholeFolio: false).isEmpty
    return cause == .remoteRead && isShared ? nil : cause
  }
}
