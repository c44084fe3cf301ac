// SPDX-License-Identifier: GPL-2.0-only

import TraceFile

/// The probes on pins that a recorder sets where the kernel lets it, by their names in the capture.
package enum KnownProbe: String, CaseIterable {
  case pin = "pin_user_pages"
  case pinFast = "pin_user_pages_fast"
  case pinFastOnly = "pin_user_pages_fast_only"
  case pinUnlocked = "pin_user_pages_unlocked"
  case pinRemote = "pin_user_pages_remote"
  case pinExit = "pin_user_pages_exit"
  case pinFastExit = "pin_user_pages_fast_exit"
  case pinFastOnlyExit = "pin_user_pages_fast_only_exit"
  case pinUnlockedExit = "pin_user_pages_unlocked_exit"
  case pinRemoteExit = "pin_user_pages_remote_exit"
  /// Does the work for whoever gives pins back, but for those below where the compiler put it into them.
  case putFolio = "gup_put_folio"
  case unpinPage = "unpin_user_page"
  case unpinFolio = "unpin_folio"
  case unpinUserFolio = "unpin_user_folio"

  /// The recorder's own.
  package static let system = "cowscope"

  package var event: KnownEvent {
    switch self {
    case .pin, .pinFast, .pinFastOnly, .pinUnlocked, .pinRemote: .pinEnter
    case .pinExit, .pinFastExit, .pinFastOnlyExit, .pinUnlockedExit, .pinRemoteExit: .pinExit
    case .putFolio, .unpinPage, .unpinFolio, .unpinUserFolio: .pinRelease
    }
  }
}

/// Where the fields of a probe lie; those of other probes are absent.
struct ProbeLayout {
  let probe: KnownProbe
  let (mm, start, count, flags): (EventLayouts.Field, EventLayouts.Field, EventLayouts.Field, EventLayouts.Field)
  let result: EventLayouts.Field
  let (page, references, base): (EventLayouts.Field, EventLayouts.Field, EventLayouts.Field)
  private let context: EventLayouts.Field

  init(_ probe: KnownProbe, _ format: EventFormat) {
    func field(_ name: String) -> EventLayouts.Field { EventLayouts.Field(layout: format.field(name)) }
    self.probe = probe
    (mm, start, count, flags) = (field("mm"), field("start"), field("nr"), field("flags"))
    result = field("got")
    (page, references, base) = (field("page"), field("refs"), field("vmemmap"))
    context = field("common_flags")
  }

  /// `TRACE_FLAG_HARDIRQ`, `TRACE_FLAG_SOFTIRQ`: it was not the task that did it.
  func isInterrupt(_ record: RawRecord) -> Bool { (context.load(record) ?? 0) & 0x18 != 0 }

  /// The frame of the `struct page`; `nil` where it is none.
  func frame(_ record: RawRecord) -> UInt64? {
    guard let page = page.load(record), let base = base.load(record) else { return nil }
    return StructPage.frame(ofPage: page, base: base)
  }
}

package enum StructPage {
  /// The frame of a `struct page` by its address and where the first one is: each takes 64 bytes. `nil`: it is none.
  package static func frame(ofPage page: UInt64, base: UInt64) -> UInt64? {
    page >= base && (page - base) & 63 == 0 ? (page - base) >> 6 : nil
  }
}
