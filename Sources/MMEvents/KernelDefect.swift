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

/// `major.minor.patch` of mainline and stable releases.
struct KernelVersion: Comparable, Sendable {
  let major: Int
  let minor: Int
  let patch: Int

  init(_ major: Int, _ minor: Int, _ patch: Int = 0) { (self.major, self.minor, self.patch) = (major, minor, patch) }

  static func < (a: Self, b: Self) -> Bool { (a.major, a.minor, a.patch) < (b.major, b.minor, b.patch) }

  /// What a release string tells: `6.1.0-56-amd64` and `6.8.0-45-generic` number the binary interface where the patch
  /// level would stand, and a release candidate is some way before its `.0`.
  enum Released {
    case exactly(KernelVersion)
    case some(major: Int, minor: Int)

    init?(_ release: String) {
      let parts = release.split(separator: ".", maxSplits: 2)
      guard parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1].prefix(while: \.isNumber)) else {
        return nil
      }
      guard parts.count == 3, let patch = Int(parts[2].prefix(while: \.isNumber)) else {
        self = .some(major: major, minor: minor)
        return
      }
      let rest = parts[2].drop(while: \.isNumber)
      let numbersInterface = patch == 0 && rest.first == "-" && rest.dropFirst().first?.isNumber == true
      self =
        numbersInterface || rest.hasPrefix("-rc")
        ? .some(major: major, minor: minor) : .exactly(KernelVersion(major, minor, patch))
    }

    /// Every release that it may be is.
    func isWithin(_ range: Range<KernelVersion>) -> Bool {
      switch self {
      case .exactly(let version): range.contains(version)
      case .some(let major, let minor):
        range.lowerBound <= KernelVersion(major, minor) && KernelVersion(major, minor + 1) <= range.upperBound
      }
    }

    /// Some release that it may be is.
    func mayBeWithin(_ range: Range<KernelVersion>) -> Bool {
      switch self {
      case .exactly(let version): range.contains(version)
      case .some(let major, let minor):
        range.lowerBound < KernelVersion(major, minor + 1) && KernelVersion(major, minor) < range.upperBound
      }
    }
  }
}
