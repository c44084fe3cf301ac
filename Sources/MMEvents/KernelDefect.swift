// SPDX-License-Identifier: GPL-2.0-only

/// A defect of released kernels in what is modelled here: there the kernel itself may do what no encoding would.
///
/// A row of a table (`KernelDefect+Known.swift`). By version alone: a distribution may have ported a fix, or a defect.
public struct KernelDefect: Sendable {
  public let name: String
  /// What goes wrong, in a line.
  public let summary: String
  /// The mechanism, and what a trace of such a kernel would show of it.
  public let text: String
  /// Kernel functions.
  public let source: String
  /// From the first release that has it to the one that has not, which is none of the range.
  let ranges: [Range<KernelVersion>]
  /// Releases of which it is not known here: the fix may have been ported to their series.
  let undecided: [Range<KernelVersion>]

  init(
    _ name: String, _ summary: String, _ text: String, source: String, in ranges: [Range<KernelVersion>],
    undecided: [Range<KernelVersion>] = []
  ) {
    (self.name, self.summary, self.text, self.source) = (name, summary, text, source)
    (self.ranges, self.undecided) = (ranges, undecided)
  }

  public enum Presence: Sendable, Equatable {
    case present, absent
    /// The release string does not tell, or the series is not known well enough.
    case unknown
  }

  /// `release`: as `uname -r` prints it.
  public func presence(in release: String) -> Presence {
    guard let version = KernelVersion.Released(release) else { return .unknown }
    if ranges.contains(where: { version.isWithin($0) }) { return .present }
    return (ranges + undecided).contains { version.mayBeWithin($0) } ? .unknown : .absent
  }

  /// Those that a kernel has by its release.
  public static func present(in release: String) -> [KernelDefect] {
    known.filter { $0.presence(in: release) == .present }
  }
}
