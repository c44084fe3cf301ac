// SPDX-License-Identifier: GPL-2.0-only

/// `major.minor.patch` of mainline and stable releases.
struct KernelVersion: Comparable, Sendable {
  let major: Int
  let minor: Int
  let patch: Int

  init(_ major: Int, _ minor: Int, _ patch: Int = 0) { (self.major, self.minor, self.patch) = (major, minor, patch) }

  /// `major.minor` of a release string such as `6.12.117-amd64`; `nil` where it is none.
  init?(seriesOf release: String) {
    let parts = release.split(separator: ".", maxSplits: 2)
    guard parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1].prefix(while: \.isNumber)) else {
      return nil
    }
    self.init(major, minor)
  }

  /// The series after this one. The number is from a file, and may be any.
  private var next: KernelVersion { KernelVersion(major, minor == .max ? minor : minor + 1) }

  static func < (a: Self, b: Self) -> Bool { (a.major, a.minor, a.patch) < (b.major, b.minor, b.patch) }

  /// What a release string tells: `6.1.0-56-amd64` and `6.8.0-45-generic` number the binary interface where the patch
  /// level would stand, and a release candidate is some way before its `.0`.
  enum Released {
    case exactly(KernelVersion)
    case some(of: KernelVersion)

    init?(_ release: String) {
      guard let series = KernelVersion(seriesOf: release) else { return nil }
      let parts = release.split(separator: ".", maxSplits: 2)
      guard parts.count == 3, let patch = Int(parts[2].prefix(while: \.isNumber)) else {
        self = .some(of: series)
        return
      }
      let rest = parts[2].drop(while: \.isNumber)
      let numbersInterface = patch == 0 && rest.first == "-" && rest.dropFirst().first?.isNumber == true
      self =
        numbersInterface || rest.hasPrefix("-rc")
        ? .some(of: series) : .exactly(KernelVersion(series.major, series.minor, patch))
    }

    /// Every release that it may be is.
    func isWithin(_ range: Range<KernelVersion>) -> Bool {
      switch self {
      case .exactly(let version): range.contains(version)
      case .some(let series): range.lowerBound <= series && series.next <= range.upperBound
      }
    }

    /// Some release that it may be is.
    func mayBeWithin(_ range: Range<KernelVersion>) -> Bool {
      switch self {
      case .exactly(let version): range.contains(version)
      case .some(let series): range.lowerBound < series.next && series < range.upperBound
      }
    }
  }
}
