// SPDX-License-Identifier: GPL-2.0-only

/// What a scan for a huge page counted (`hpage_collapse_scan_pmd`), up to where it ended.
public struct CollapseScan: Sendable, BitwiseCopyable {
  public enum Status: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    /// Nothing stood in the way, here or in the collapse that followed.
    case succeeded
    /// The last entry was one too many of its kind.
    case exceededNone, exceededSwap, exceededShared
    /// Anything else, here or in the collapse.
    case failed

    /// As `mm_khugepaged_scan_pmd` prints it; `nil` where many stand for one.
    public var name: String? {
      switch self {
      case .succeeded: "succeeded"
      case .exceededNone: "exceed_none_pte"
      case .exceededSwap: "exceed_swap_pte"
      case .exceededShared: "exceed_shared_pte"
      case .failed: nil
      }
    }
  }

  /// Of the folio that was looked at last (6.1: of the page); `nil`: it came to none.
  public var frame: PFN?
  /// Nothing, or the zero page.
  public var missing: UInt16
  /// Entries that are not present: swap, migration, markers.
  public var unmapped: UInt16
  /// Only khugepaged asks for it.
  public var referenced: UInt16
  public var status: Status
  /// By khugepaged, within its limits; otherwise MADV_COLLAPSE.
  public var isKhugepaged: Bool

  public init(
    frame: PFN?, missing: UInt16, unmapped: UInt16, referenced: UInt16, status: Status, isKhugepaged: Bool
  ) {
    (self.frame, self.missing, self.unmapped) = (frame, missing, unmapped)
    (self.referenced, self.status, self.isKhugepaged) = (referenced, status, isKhugepaged)
  }
}
