// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// Steps of a replay as lines of a story: processes have letters, the tables concerned lie side by side from page 0 on,
/// and VMAs come into being where something first happens.
struct StoryLines {
  /// Where the pages of a trace are in the story.
  struct Places {
    /// Page number / 512 in the trace, and the first page of the table in the story.
    private let tables: [UInt64: Int]
    /// Subtracted from all pages.
    var shift = 0

    /// Tables that are neighbours stay so, others do not become it.
    init(_ bases: Set<UInt64>) {
      var (next, last) = (0, UInt64?.none)
      var tables: [UInt64: Int] = [:]
      for base in bases.sorted() {
        if let last, base != last + 1 { next += 512 }
        tables[base] = next
        next += 512
        last = base
      }
      self.tables = tables
    }

    func page(_ page: VirtualPage) -> Int? { tables[page.rawValue >> 9].map { $0 + Int(page.rawValue & 511) - shift } }

    /// The parts of the range that the story has; those that are neighbours in one.
    func parts(_ range: PageRange) -> [Range<Int>] {
      var parts: [Range<Int>] = []
      for base in tables.keys.sorted() {
        let table = PageRange(start: VirtualPage(base << 9), count: 512)
        guard let common = range.intersection(table), let first = page(common.start) else { continue }
        if let last = parts.last, last.upperBound == first {
          parts[parts.count - 1] = last.lowerBound..<first + common.count
        } else {
          parts.append(first..<first + common.count)
        }
      }
      return parts
    }
  }

  private let places: Places
  /// Of those that are there.
  private var names: [MMID: String] = [:]
  /// Of all that were.
  private(set) var everyName: [MMID: String] = [:]
  private(set) var lines: [(text: String, step: Int)] = []
  private var areas: [MMID: StoryAreas] = [:]
  /// What the trace has for the pages that something happens to, the first time.
  private var used: [Int: VMAFacts] = [:]
  /// What a fork has copied so far.
  private var copied: [MMID: [(pages: Range<Int>, facts: VMAFacts)]] = [:]
  private var step = 0
  private let mergesEqualPages: Bool

  init(_ steps: [StepRecorder.Recorded], _ places: Places) {
    self.places = places
    mergesEqualPages = steps.contains { $0.step.transition == .ksm }
    for one in steps { note(one.step) }
    for (number, one) in steps.enumerated() {
      step = number
      tell(one)
      // What was decided before a fork or an exit came to its end.
      if number == steps.count - 1 { end(one.step) }
    }
  }

  /// `P` and those after it, then `A` to `E`: the letters between are folios.
  private mutating func name(_ mm: MMID) -> String {
    let letters = Array("PQRSTUVWXYZABCDE")
    let number = everyName.count
    let name = String(repeating: String(letters[number % letters.count]), count: number / letters.count + 1)
    names[mm] = name
    everyName[mm] = name
    areas[mm] = StoryAreas()
    return name
  }

  private mutating func add(_ text: String) { lines.append((text, step)) }

  /// Those that something happens to.
  var pages: Dictionary<Int, VMAFacts>.Keys { used.keys }

  // — VMAs

  private mutating func note(_ step: Operation) {
    guard let facts = step.facts, case .pages(let range) = step.extent else { return }
    if case .forkCopy = step { return }
    for part in places.parts(range) where part.count <= 512 {
      for page in part where used[page] == nil { used[page] = facts }
    }
  }

  /// The process has a VMA there, and one like that of the trace.
  private mutating func ensure(_ mm: MMID, _ pages: Range<Int>, _ facts: VMAFacts) {
    guard let name = names[mm] else { return }
    for page in pages {
      guard let known = areas[mm]?.facts(at: page) else {
        let whole = extent(around: page, mm, facts)
        add("vma \(name) \(Self.text(whole))" + Self.properties(facts))
        areas[mm]?.set(whole, facts)
        continue
      }
      if known.backingWord != facts.backingWord {
        add("\(name) munmap \(page)")
        add("vma \(name) \(page)" + Self.properties(facts))
        areas[mm]?.set(page..<page + 1, facts)
      } else if known.protectionWord != facts.protectionWord {
        add("\(name) mprotect \(page) \(facts.protectionWord)")
        areas[mm]?.change(page..<page + 1) { $0.protection = facts.protection }
      }
    }
  }

  private static func properties(_ facts: VMAFacts) -> String {
    (facts.protectionWord == "rw" ? "" : " \(facts.protectionWord)") + (facts.backingWord.map { " \($0)" } ?? "")
  }

  /// As far as the next pages that something happens to are in such a VMA too.
  private func extent(around page: Int, _ mm: MMID, _ facts: VMAFacts) -> Range<Int> {
    func belongs(_ other: Int) -> Bool {
      used[other].map { $0.protectionWord == facts.protectionWord && $0.backingWord == facts.backingWord } ?? false
    }
    let table = page & ~511
    var (low, high) = (page, page)
    for other in stride(from: page - 1, through: table, by: -1)
    where used[other] != nil || areas[mm]?.facts(at: other) != nil {
      guard belongs(other), areas[mm]?.facts(at: other) == nil else { break }
      low = other
    }
    for other in page + 1..<table + 512 where used[other] != nil || areas[mm]?.facts(at: other) != nil {
      guard belongs(other), areas[mm]?.facts(at: other) == nil else { break }
      high = other
    }
    return low..<high + 1
  }

  // — steps

  private mutating func tell(_ one: StepRecorder.Recorded) {
    switch one.step {
    case .createMM(let mm, let origin):
      if case .fork = origin { return }
      add("process \(name(mm))")
    case .forkBegin, .forkCopy, .forkEnd, .forkAbort, .exitBegin, .exitEnd: tellProcess(one.step)
    case .move(let mm, let source, let destination): move(mm, source, destination, isHuge: one.isHuge)
    case .swapOff: add("swapoff")
    case .ksmMerge(let mm, let page, let other, let otherPage): merge("ksm-merge", mm, page, other, otherPage)
    case .ksmReplace(let mm, let page, let other, let otherPage): merge("ksm-replace", mm, page, other, otherPage)
    case .uffdMove(let mm, let source, let destination):
      guard let name = names[mm], let from = places.page(source), let to = places.page(destination) else { return }
      add("\(name) uffd-move \(from) -> \(to)")
    default: tellPages(one.step)
    }
  }

  private mutating func tellPages(_ step: Operation) {
    guard let mm = step.mm, let name = names[mm], case .pages(let range) = step.extent else { return }
    for part in places.parts(range) {
      if let page = step.page.flatMap(places.page) {
        ensure(mm, part, step.facts ?? areas[mm]?.facts(at: page) ?? .anonymous)
        for text in step.words(name, page, part) { add(text + equalData(text)) }
        continue
      }
      for area in areas[mm]?.parts(in: part) ?? [] {
        guard let text = step.words(name, area.pages) else { continue }
        add(text)
      }
      switch step {
      case .zap: areas[mm]?.remove(part)
      case .protect(_, _, let facts): areas[mm]?.change(part) { $0.protection = facts.protection }
      default: break
      }
    }
  }

  /// Pages that were merged were equal.
  private func equalData(_ text: String) -> String { mergesEqualPages && text.contains(" writes ") ? " data same" : "" }

  private mutating func merge(
    _ verb: String, _ mm: MMID, _ page: VirtualPage, _ other: MMID, _ otherPage: VirtualPage
  ) {
    guard let name = names[mm], let partner = names[other], let first = places.page(page),
      let second = places.page(otherPage)
    else { return }
    add("\(verb) \(name) \(first) with \(partner) \(second)")
  }

  private mutating func move(_ mm: MMID, _ source: PageRange, _ destination: VirtualPage, isHuge: Bool) {
    guard let name = names[mm] else { return }
    for part in places.parts(source) {
      for area in areas[mm]?.parts(in: part) ?? [] {
        let offset = area.pages.lowerBound - (places.page(source.start) ?? part.lowerBound)
        guard let to = places.page(destination.advanced(by: offset)) else { continue }
        let isWhole = area.pages.lowerBound % 512 == 0 && to % 512 == 0 && area.pages.count % 512 == 0
        add("\(name) mremap \(Self.text(area.pages)) -> \(to) \(isWhole ? isHuge ? "pmd" : "table" : "ptes")")
        areas[mm]?.remove(area.pages)
        areas[mm]?.set(to..<to + area.pages.count, area.facts)
      }
    }
  }

  // — fork and exit

  private mutating func tellProcess(_ step: Operation) {
    switch step {
    case .forkBegin(let parent, let child): if names[parent] != nil { copied[child] = [] }
    case .forkCopy(_, let child, let range, let facts):
      copied[child]?.append(contentsOf: places.parts(range).map { ($0, facts) })
    case .forkEnd(let parent, let child): fork(parent, child)
    case .forkAbort(let parent, let child):
      guard let name = names[parent], let pieces = copied.removeValue(forKey: child) else { return }
      let reached = pieces.map(\.pages.upperBound).max() ?? 0
      add("fork \(name) -> \(self.name(child)) fails before \(reached)")
      names[child] = nil
    case .exitEnd(let mm):
      if let name = names.removeValue(forKey: mm) { add("\(name) exits") }
    default: break
    }
  }

  private mutating func end(_ step: Operation) {
    switch step {
    case .forkBegin(let parent, let child), .forkCopy(let parent, let child, _, _): halfFork(parent, child)
    case .exitBegin(let mm): tellProcess(.exitEnd(mm))
    default: break
    }
  }

  /// What it did not copy was not to be copied.
  private mutating func fork(_ parent: MMID, _ child: MMID) {
    guard let name = names[parent], let pieces = copied.removeValue(forKey: child) else { return }
    advise(parent, pieces, upTo: .max)
    let kept = (areas[parent]?.all ?? []).filter { !$0.facts.flags.contains(.dontCopy) }
    add("fork \(name) -> \(self.name(child))")
    for area in kept { areas[child]?.set(area.pages, area.facts) }
  }

  /// It goes up the address space, and has not come to what lies above.
  private mutating func halfFork(_ parent: MMID, _ child: MMID) {
    guard let name = names[parent], let pieces = copied.removeValue(forKey: child) else { return }
    advise(parent, pieces, upTo: pieces.last?.pages.upperBound ?? 0)
    add("fork-begin \(name) -> \(self.name(child))")
    for piece in pieces {
      for area in areas[parent]?.parts(in: piece.pages) ?? [] { add("fork-copy \(name) \(Self.text(area.pages))") }
    }
  }

  private mutating func advise(
    _ parent: MMID, _ pieces: [(pages: Range<Int>, facts: VMAFacts)], upTo end: Int
  ) {
    advise(parent, pieces, .dontCopy, "dontfork", "dofork") { area in
      area.lowerBound < end && pieces.allSatisfy { !$0.pages.overlaps(area) }
        || pieces.contains { $0.pages.overlaps(area) && $0.facts.flags.contains(.dontCopy) }
    }
    advise(parent, pieces, .wipeOnFork, "wipeonfork", "keeponfork") { area in
      pieces.contains { $0.pages.overlaps(area) && $0.facts.flags.contains(.wipeOnFork) }
    }
  }

  /// Cuts the VMAs where the pieces end, and gives those the flag that have to have it.
  private mutating func advise(
    _ parent: MMID, _ pieces: [(pages: Range<Int>, facts: VMAFacts)], _ flag: VMAFacts.Flags, _ on: String,
    _ off: String, _ wants: (Range<Int>) -> Bool
  ) {
    guard let name = names[parent] else { return }
    var runs: [(pages: Range<Int>, word: String)] = []
    for area in areas[parent]?.all ?? [] {
      let borders = Set(
        [area.pages.lowerBound, area.pages.upperBound]
          + pieces.flatMap { [$0.pages.lowerBound, $0.pages.upperBound] }.filter {
            area.pages.lowerBound < $0 && $0 < area.pages.upperBound
          }
      ).sorted()
      for (low, high) in zip(borders, borders.dropFirst()) {
        let isWanted = wants(low..<high)
        guard area.facts.flags.contains(flag) != isWanted else { continue }
        areas[parent]?.change(low..<high) {
          if isWanted { $0.flags.insert(flag) } else { $0.flags.remove(flag) }
        }
        let word = isWanted ? on : off
        if let last = runs.last, last.pages.upperBound == low, last.word == word {
          runs[runs.count - 1].pages = last.pages.lowerBound..<high
        } else {
          runs.append((low..<high, word))
        }
      }
    }
    for run in runs { add("\(name) madvise \(run.word) \(Self.text(run.pages))") }
  }

  static func text(_ pages: Range<Int>) -> String {
    pages.count == 1 ? "\(pages.lowerBound)" : "\(pages.lowerBound)..\(pages.upperBound - 1)"
  }
}
