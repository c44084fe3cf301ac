// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import TraceFile

/// Where the fields of `mm_khugepaged_scan_pmd` lie, and what its status numbers mean on the recording kernel.
struct ScanLayout {
  private let mm: EventLayouts.Field
  private let frame: EventLayouts.Field
  private let missing: EventLayouts.Field
  private let unmapped: EventLayouts.Field
  private let referenced: EventLayouts.Field
  private let status: EventLayouts.Field
  /// By name; their numbers moved with 6.18 and 7.0.
  private var numbers: [UInt64: CollapseScan.Status] = [:]

  init(_ format: EventFormat) {
    func field(_ name: String) -> EventLayouts.Field { EventLayouts.Field(layout: format.field(name)) }
    (mm, frame, status) = (field("mm"), field("pfn"), field("status"))
    (missing, unmapped, referenced) = (field("none_or_zero"), field("unmapped"), field("referenced"))
    let symbols = format.symbols(of: "status")
    for status in CollapseScan.Status.allCases {
      if let name = status.name, let number = symbols?.value(of: name) { numbers[number] = status }
    }
  }

  func mm(_ record: RawRecord) -> UInt64? { mm.load(record) }

  /// `nil`: the record is not as its format says.
  func scan(_ record: RawRecord, isKhugepaged: Bool, isPossible: (UInt64) -> Bool) -> CollapseScan? {
    func count(_ field: EventLayouts.Field) -> UInt16? { field.load(record).flatMap { UInt16(exactly: $0) } }
    guard let pfn = frame.load(record), let missing = count(missing), let unmapped = count(unmapped),
      let referenced = count(referenced)
    else { return nil }
    return CollapseScan(
      frame: isPossible(pfn) ? PFN(pfn) : nil, missing: missing, unmapped: unmapped, referenced: referenced,
      status: status.load(record).flatMap { numbers[$0] } ?? .failed, isKhugepaged: isKhugepaged)
  }
}
