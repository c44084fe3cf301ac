// SPDX-License-Identifier: GPL-2.0-only

import Normalize
import TraceFile

/// The treatment of one event with the places of its fields on the recording kernel.
struct RecordPlan {
  enum Step {
    /// One field.
    case field(FieldLayout, Treatment)
    /// Start and length; whether it is a mapping.
    case range(FieldLayout, FieldLayout, isMapping: Bool)
    case tree(first: FieldLayout, last: FieldLayout, value: FieldLayout)
    case structPage(FieldLayout, base: FieldLayout)
  }

  /// Every record's head: event, flags, task.
  private static let common: EventTreatment = [
    ("common_type", .kept), ("common_flags", .kept), ("common_preempt_count", .kept), ("common_pid", .kept),
  ]

  let steps: [Step]
  let pid: FieldLayout?
  /// Which call it is the entry or exit of.
  let call: KnownSyscall?
  let event: KnownEvent?

  init(_ format: EventFormat, event: KnownEvent?, call: KnownSyscall?, _ treatment: EventTreatment) {
    (self.event, self.call) = (event, call)
    pid = format.field("common_pid")
    steps = (Self.common + treatment).compactMap { name, treatment in
      guard let layout = format.field(name) else { return nil }
      switch treatment {
      case .range(let length): return format.field(length).map { .range(layout, $0, isMapping: false) }
      case .mapping(let length): return format.field(length).map { .range(layout, $0, isMapping: true) }
      case .tree(let last, let value):
        guard let last = format.field(last), let value = format.field(value) else { return nil }
        return .tree(first: layout, last: last, value: value)
      case .structPage(let base): return format.field(base).map { .structPage(layout, base: $0) }
      default: return .field(layout, treatment)
      }
    }
  }
}

/// The plans of a capture by `common_type`; events without one are left out.
struct RecordPlans {
  private var plans: [RecordPlan?] = []
  private(set) var names: Set<String> = []

  init(_ formats: EventFormats) throws(TraceFileError) {
    for event in KnownEvent.allCases {
      guard let (system, name) = event.tracepoint else { continue }
      try add(formats, system, name, event, nil, event.treatment)
    }
    for probe in KnownProbe.allCases {
      try add(formats, KnownProbe.system, probe.rawValue, probe.event, nil, probe.event.treatment)
    }
    for call in KnownSyscall.allCases {
      try add(formats, "syscalls", "sys_enter_" + call.rawValue, .syscallEnter, call, call.arguments)
      try add(formats, "syscalls", "sys_exit_" + call.rawValue, .syscallExit, call, [("ret", call.result)])
    }
    for title in unreadEvents.sorted() {
      let parts = title.split(separator: ":").map(String.init)
      try add(formats, parts[0], parts[1], nil, nil, [])
    }
  }

  private mutating func add(
    _ formats: EventFormats, _ system: String, _ name: String, _ event: KnownEvent?, _ call: KnownSyscall?,
    _ treatment: EventTreatment
  ) throws(TraceFileError) {
    guard let format = try formats.format(named: name, system: system) else { return }
    names.insert("\(system):\(name)")
    while plans.count <= Int(format.id) { plans.append(nil) }
    if plans[Int(format.id)] == nil {
      plans[Int(format.id)] = RecordPlan(format, event: event, call: call, treatment)
    }
  }

  /// `system:name` of every event that has a plan where a kernel has the event.
  static let knownTitles: Set<String> = Set(
    KnownEvent.allCases.compactMap { $0.tracepoint.map { "\($0.system):\($0.name)" } }
      + KnownProbe.allCases.map { "\(KnownProbe.system):\($0.rawValue)" }
      + KnownSyscall.allCases.flatMap { ["syscalls:sys_enter_\($0.rawValue)", "syscalls:sys_exit_\($0.rawValue)"] }
  ).union(unreadEvents)

  func plan(of record: RawRecord) -> RecordPlan? {
    Int(record.eventID) < plans.count ? plans[Int(record.eventID)] : nil
  }
}

extension RecordPlan {
  /// `struct page` takes 64 bytes. `nil`: it is none.
  static func frame(ofPage page: UInt64, base: UInt64) -> UInt64? {
    page >= base && (page - base) & 63 == 0 ? (page - base) >> 6 : nil
  }
}
