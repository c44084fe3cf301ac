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

  /// An event that has a plan where a kernel has the event.
  private struct Treated {
    let system: String
    let name: String
    var event: KnownEvent?
    var call: KnownSyscall?
    var treatment: EventTreatment = []
    var title: String { "\(system):\(name)" }
  }

  private static let treated: [Treated] =
    KnownEvent.allCases.compactMap { event in
      event.tracepoint.map { Treated(system: $0.system, name: $0.name, event: event, treatment: event.treatment) }
    }
    + KnownProbe.allCases.map {
      Treated(system: KnownProbe.system, name: $0.rawValue, event: $0.event, treatment: $0.event.treatment)
    }
    + KnownSyscall.allCases.flatMap { call in
      [
        Treated(
          system: "syscalls", name: "sys_enter_" + call.rawValue, event: .syscallEnter, call: call,
          treatment: call.arguments),
        Treated(
          system: "syscalls", name: "sys_exit_" + call.rawValue, event: .syscallExit, call: call,
          treatment: [("ret", call.result)]),
      ]
    }
    + unreadEvents.sorted().map { title in
      let parts = title.split(separator: ":").map(String.init)
      return Treated(system: parts[0], name: parts[1])
    }

  static let knownTitles = Set(treated.map(\.title))

  init(_ formats: EventFormats) throws(TraceFileError) {
    for treated in Self.treated { try add(treated, formats) }
  }

  private mutating func add(_ treated: Treated, _ formats: EventFormats) throws(TraceFileError) {
    guard let format = try formats.format(named: treated.name, system: treated.system) else { return }
    names.insert(treated.title)
    while plans.count <= Int(format.id) { plans.append(nil) }
    if plans[Int(format.id)] == nil {
      plans[Int(format.id)] = RecordPlan(format, event: treated.event, call: treated.call, treated.treatment)
    }
  }

  func plan(of record: RawRecord) -> RecordPlan? {
    Int(record.eventID) < plans.count ? plans[Int(record.eventID)] : nil
  }
}
