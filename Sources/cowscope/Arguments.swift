// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import MMEvents
import Replay
import Report

extension EncodingID: ExpressibleByArgument {
  /// Any letter case: `c-raw` is as good as `C-raw`. `C` alone is the proposal done fully, as in litmus files.
  package init?(argument: String) {
    if argument.lowercased() == "c" {
      self = .cStrict
      return
    }
    guard let id = EncodingID.allCases.first(where: { $0.rawValue.lowercased() == argument.lowercased() }) else {
      return nil
    }
    self = id
  }
}

extension FailureCondition: ExpressibleByArgument {}

/// A call site by its name in the catalogue (`c.mprotect`); `b.fork.set` means both its halves.
struct CallSite: ExpressibleByArgument {
  let switches: [CallSiteSwitch]

  init?(argument: String) {
    switches = CallSiteSwitch.named(argument)
    if switches.isEmpty { return nil }
  }
}

/// An audit by its name, or none.
struct AuditName: ExpressibleByArgument {
  /// `nil`: none.
  let name: String?

  init?(argument: String) {
    name = AuditRegistry.audit(named: argument)?.description.name
    if name == nil, argument != "none" { return nil }
  }

  static var allValueStrings: [String] { AuditRegistry.all.map { $0.description.name } + ["none"] }
}

/// A kernel by its release, such as 6.12 or 6.12.117-amd64.
struct KernelRelease: ExpressibleByArgument {
  let text: String

  init?(argument: String) {
    guard case .known = KernelFacts.release(argument) else { return nil }
    text = argument
  }

  static let help = ArgumentHelp(
    "The kernel that recorded, where X does not say (text), since 5.19.", valueName: "release")
}

/// A number as people write it: decimal, or hexadecimal after `0x`.
struct Number: ExpressibleByArgument {
  let value: UInt64

  init?(argument: String) {
    let isHexadecimal = argument.hasPrefix("0x") || argument.hasPrefix("0X")
    guard let value = isHexadecimal ? UInt64(argument.dropFirst(2), radix: 16) : UInt64(argument) else { return nil }
    self.value = value
  }
}

/// `a,b` in seconds of the trace clock, as `script` prints them; either side may be left out.
struct TimeRange: ExpressibleByArgument {
  let range: ClosedRange<Timestamp>

  init?(argument: String) {
    let sides = argument.split(separator: ",", omittingEmptySubsequences: false)
    guard sides.count == 2,
      let from = sides[0].isEmpty ? 0 : TimeRange.nanoseconds(sides[0]),
      let to = sides[1].isEmpty ? UInt64.max : TimeRange.nanoseconds(sides[1]),
      from <= to
    else { return nil }
    range = Timestamp(nanoseconds: from)...Timestamp(nanoseconds: to)
  }

  /// Digit by digit: a double would round the nanoseconds of a long uptime.
  private static func nanoseconds(_ text: Substring) -> UInt64? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let seconds = UInt64(parts[0]) else { return nil }
    var fraction: UInt64 = 0
    if parts.count == 2 {
      let digits = parts[1]
      guard !digits.isEmpty, digits.count <= 9, digits.allSatisfy(\.isASCII), let value = UInt64(digits) else {
        return nil
      }
      fraction = value
      for _ in digits.count..<9 { fraction *= 10 }
    }
    let (whole, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, exceeds) = whole.addingReportingOverflow(fraction)
    return overflows || exceeds ? nil : sum
  }
}
