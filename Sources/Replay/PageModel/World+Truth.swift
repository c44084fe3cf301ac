// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

extension World {
  /// What the reuse check says of the page now, by the rules of this kernel.
  func reuseCheck(_ ref: EntryRef) -> ReuseCheck { memory.reuseCheck(ref, largeFolios: facts.largeFolioReuse) }

  /// Whoever migrates the folio has its lock (`folio_lock`, `folio_trylock`).
  func isLocked(_ folio: FolioID) -> Bool { options.keepsFolioLocks && folios.migrations(folio) > 0 }
}
