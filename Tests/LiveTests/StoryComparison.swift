// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Pipeline
import Replay
import Stories

/// What the replay of recorded story programs has for every page after every step, beside what the stories say.
struct StoryComparison {
  /// A program, whose page 0 was at `base`.
  struct Subject {
    let scenario: LitmusScenario
    let program: StoryProgram
    let base: UInt64
    let trails: [(encoding: EncodingID, trail: LitmusTrail)]
    /// Whatever the story ever maps something at.
    let places: [LitmusTrail.Place]
    /// The mm of each of its processes, as their marks tell.
    var mms: [String: MMID] = [:]
    var stepsDone = 0

    init(_ scenario: LitmusScenario, _ program: StoryProgram, _ kernel: LitmusKernel, base: UInt64) {
      (self.scenario, self.program, self.base) = (scenario, program, base)
      trails = StoryComparison.encodings.map { encoding in
        (encoding, LitmusTrail(scenario, LitmusConfiguration(encoding), kernel) { _ in true })
      }
      places = Set(trails[0].trail.steps.flatMap(\.states.keys)).sorted()
    }
  }

  /// The proposals.
  static let encodings: [EncodingID] = [.aAndLazy, .aAndEager, .b, .cStrict]

  private(set) var subjects: [Subject]
  private(set) var differences: [String] = []
  /// Facts of entries and verdicts that were compared, and those that the replay does not know.
  private(set) var compared = 0
  private(set) var unknown = 0

  init(_ subjects: [Subject]) { self.subjects = subjects }

  mutating func read(_ capture: String) throws {
    var options = Analysis.Options()
    options.encodings = Self.encodings
    try Analysis(path: capture).follow(options) { events, model in
      var rest = events
      for index in events.indices {
        guard let (subject, number) = mark(events[index]) else { continue }
        model.apply(rest[...index])
        rest = events[(index + 1)...]
        if number < StoryProgram.marksOfProcesses {
          subjects[subject].mms[subjects[subject].program.processes[number]] = events[index].mm
        } else {
          compare(subject, step: number - StoryProgram.marksOfProcesses, model)
        }
      }
      model.apply(rest)
      return true
    }
  }

  /// `madvise` of a page of marks.
  private func mark(_ record: MMEventRecord) -> (subject: Int, number: Int)? {
    guard case .advised(let range, .dontNeed) = record.event else { return nil }
    for (index, subject) in subjects.enumerated() {
      let first = (subject.base - StoryProgram.marksBelowBase) >> 12
      if range.start.rawValue >= first, range.start.rawValue < first + 1024 {
        return (index, Int(range.start.rawValue - first))
      }
    }
    return nil
  }

  private mutating func compare(_ index: Int, step number: Int, _ model: borrowing ReplayDriver) {
    subjects[index].stepsDone = number + 1
    let subject = subjects[index]
    for (encoding, trail) in subject.trails {
      let step = trail.steps[number]
      for place in subject.places where step.areas[place.process] != nil {
        guard let mm = subject.mms[place.process] else { continue }
        let page = VirtualPage(subject.base >> 12 + UInt64(place.page))
        func name(_ what: String) -> String {
          "\(subject.scenario.id) '\(step.statement.text)': \(place.process)\(place.page) \(what)"
        }
        if model.isInDoubt(mm, page) {
          unknown += 1
          continue
        }
        let found = model.standing(mm, page, in: encoding)
        let told = step.states[place]
        // Today's world is the same beside any of them.
        if encoding == Self.encodings[0] { compare(found.today, told?.today ?? .none, name("today")) }
        compare(found.encoding ?? .none, told?.own ?? .none, name("in \(encoding.rawValue)"))
        let verdict = model.verdict(mm, page, in: encoding) ?? .ok
        compare(verdict, step.verdicts[place] ?? .ok, name("in \(encoding.rawValue): the verdict"))
      }
    }
  }

  private mutating func compare(_ found: EntryStanding, _ told: EntryStanding, _ name: @autoclosure () -> String) {
    // The zero page and files' pages come without an event.
    compare(found.anonymousKind.map { "\($0)" } ?? "none", told.anonymousKind.map { "\($0)" } ?? "none", name())
    guard let kind = told.anonymousKind, kind == found.anonymousKind else { return }
    compare(found.claim == .unknown ? nil : found.claim, told.claim, name() + ", exclusive")
    guard kind == .present else { return }
    compare(found.isWritable, told.isWritable, name() + ", writable")
    compare(found.isDirty, told.isDirty, name() + ", dirty")
  }

  private mutating func compare<T: Equatable>(_ found: T?, _ told: T?, _ name: @autoclosure () -> String) {
    guard let found, let told else {
      if (found == nil) != (told == nil) { unknown += 1 }
      return
    }
    compare(found, told, name())
  }

  private mutating func compare<T: Equatable>(_ found: T, _ told: T, _ name: @autoclosure () -> String) {
    compared += 1
    if found != told { differences.append("\(name()) is \(found), and \(told) in the story") }
  }
}

extension EntryStanding {
  /// `nil`: nothing anonymous.
  fileprivate var anonymousKind: EntryKind? {
    kind == .none || kind == .zeroPage || kind == .filePage ? nil : kind
  }
}
