// SPDX-License-Identifier: GPL-2.0-only

/// A probe on a function of the kernel, as `dynamic_events` of tracefs takes it (Documentation/trace/kprobetrace.rst).
package struct WantedProbe: Equatable, Sendable {
  package enum Place: String, Sendable {
    case entry = "p"
    /// What the function gave back.
    case exit = "r"
  }

  package var name: String
  package var place: Place
  package var function: String
  /// Fields and where they are fetched.
  package var arguments: String
  /// Kernels may do without the function, and then need no probe on it.
  package var isOptional: Bool

  package init(
    _ place: Place, _ function: String, _ arguments: String, optional: Bool = false
  ) {
    name = place == .entry ? function : function + "_exit"
    self.place = place
    self.function = function
    self.arguments = arguments
    isOptional = optional
  }

  package func definition(in group: String) -> String { "\(place.rawValue):\(group)/\(name) \(function) \(arguments)" }
}

extension WantedProbe {
  /// The system under which a capture has the events of probes, whatever group the kernel had them in.
  package static let system = "cowscope"

  /// Every way into GUP that pins (`FOLL_PIN`), with what it came to, and every way a pin is given back.
  ///
  /// All of the former are exported and keep their arguments. Of the latter, `gup_put_folio` does the work for all, but
  /// compilers put it into some of its callers: those that give back one page or folio have a probe of their own.
  package static let pins: [WantedProbe] = entries + releases

  private static var entries: [WantedProbe] {
    let local = "start=$arg1:x64 nr=$arg2:u64 flags=$arg3:x32"
    return [
      ("pin_user_pages", local, false), ("pin_user_pages_fast", local, false),
      // Gone since 6.5.
      ("pin_user_pages_fast_only", local, true),
      ("pin_user_pages_unlocked", "start=$arg1:x64 nr=$arg2:u64 flags=$arg4:x32", false),
      ("pin_user_pages_remote", "mm=$arg1:x64 start=$arg2:x64 nr=$arg3:u64 flags=$arg4:x32", false),
    ].flatMap { function, arguments, isOptional in
      [
        WantedProbe(.entry, function, arguments, optional: isOptional),
        WantedProbe(.exit, function, "got=$retval:s64", optional: isOptional),
      ]
    }
  }

  private static var releases: [WantedProbe] {
    // Where `struct page`s begin: what makes a frame of one.
    let base = "vmemmap=@vmemmap_base:x64"
    return [
      WantedProbe(.entry, "gup_put_folio", "page=$arg1:x64 refs=$arg2:s32 flags=$arg3:x32 \(base)"),
      WantedProbe(.entry, "unpin_user_page", "page=$arg1:x64 \(base)"),
      // Since 6.11 and 6.8.
      WantedProbe(.entry, "unpin_folio", "page=$arg1:x64 \(base)", optional: true),
      WantedProbe(.entry, "unpin_user_folio", "page=$arg1:x64 refs=$arg2:u64 \(base)", optional: true),
    ]
  }
}
