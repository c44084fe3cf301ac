// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Normalize
import TraceFile

/// A first walk over a capture: which addresses, frames, pointers and names are in it.
struct CaptureSurvey {
  var addresses = AddressSurvey()
  private(set) var frames: FrameSurvey
  var pointers = Numbering.pointers
  var hashes = Numbering.hashes
  /// Names of tasks by pid, the last one of each.
  private(set) var commands: [Int32: String] = [:]
  /// Records without a plan by event.
  private(set) var unknown: [String: UInt64] = [:]
  /// The length that a task's `mmap` or `mremap` asked for.
  private var asked: [UInt64: UInt64] = [:]

  init(pageSize: Int) { frames = FrameSurvey(pageSize: pageSize) }

  mutating func note(_ records: TraceReader, _ plans: RecordPlans, _ machine: Machine) {
    var batch = RecordBatch()
    while records.nextBatch(into: &batch) {
      for index in 0..<batch.count {
        let record = batch[index]
        if let plan = plans.plan(of: record) {
          note(record, plan, machine)
        } else {
          unknown[records.formats.displayName(ofID: record.eventID), default: 0] += 1
        }
      }
    }
  }

  private mutating func note(_ record: RawRecord, _ plan: RecordPlan, _ machine: Machine) {
    for step in plan.steps {
      switch step {
      case .field(let layout, let treatment):
        if treatment == .name {
          noteName(record, layout, plan)
        } else if let value = layout.loadUInt64(from: record) {
          note(value, treatment, record, plan, machine)
        }
      case .range(let start, let length, let isMapping):
        guard let start = start.loadUInt64(from: record), let length = length.loadUInt64(from: record) else { break }
        addresses.note(from: start, length)
        // 0 leaves the place to the kernel.
        if isMapping, start != 0 { addresses.cover(from: start, length) }
        if isMapping, let pid = plan.pid?.loadUInt64(from: record) { asked[pid] = length }
      case .tree(let first, let last, let value):
        guard let first = first.loadUInt64(from: record), let last = last.loadUInt64(from: record),
          let value = value.loadUInt64(from: record)
        else { break }
        addresses.note(first)
        addresses.note(last)
        if value != 0 { addresses.cover(from: first, to: last) }
      case .structPage(let page, let base):
        if let page = page.loadUInt64(from: record), let base = base.loadUInt64(from: record),
          let frame = StructPage.frame(ofPage: page, base: base)
        {
          frames.note(frame)
        }
      }
    }
  }

  private mutating func note(
    _ value: UInt64, _ treatment: Treatment, _ record: RawRecord, _ plan: RecordPlan, _ machine: Machine
  ) {
    switch treatment {
    case .address, .page: addresses.note(value)
    case .mappedAddress:
      guard value < AddressMap.userEnd else { break }
      addresses.note(value)
      guard plan.call == .mmap || plan.call == .mremap, let pid = plan.pid?.loadUInt64(from: record),
        let length = asked.removeValue(forKey: pid)
      else { break }
      addresses.cover(from: value, length)
    case .frame: frames.note(value)
    case .migrationEntry:
      _ = RawEntry(raw: value, machine: machine).migration { frames.note($0) }
    case .presentEntry:
      _ = RawEntry(raw: value, machine: machine).present { frames.note($0) }
    case .pointer: pointers.note(value)
    case .hashedPointer: hashes.note(value)
    case .kept, .name, .marker, .range, .mapping, .tree, .structPage: break
    }
  }

  private mutating func noteName(_ record: RawRecord, _ layout: FieldLayout, _ plan: RecordPlan) {
    guard plan.event == .newTask || plan.event == .processExit, let name = layout.loadString(from: record),
      let pid = plan.pid?.loadInt64(from: record)
    else { return }
    commands[Int32(truncatingIfNeeded: pid)] = name
  }

  mutating func note(_ snapshot: Snapshot) {
    for vma in snapshot.vmas where vma.start < vma.end {
      addresses.note(vma.start)
      addresses.cover(from: vma.start, to: vma.end - 1)
    }
    for page in snapshot.pages { frames.note(page.pfn) }
  }
}

extension RawEntry {
  fileprivate func migration(_ note: (UInt64) -> Void) -> UInt64? {
    migration(withFrame: { frame in
      note(frame)
      return frame
    })
  }

  fileprivate func present(_ note: (UInt64) -> Void) -> UInt64? {
    present(withFrame: { frame in
      note(frame)
      return frame
    })
  }
}
