// SPDX-License-Identifier: GPL-2.0-only

/// `expect`, `verdict` and `cost` lines.
extension LitmusParser {
  // expect [CONFIGURATION:] CLAIM {, CLAIM}
  func parseExpectation(_ line: inout LitmusLine) throws(LitmusError) -> LitmusExpectation {
    var configuration: LitmusConfiguration?
    if let word = line.peek, word.kind == .word, Self.encoding(word.spelling) != nil {
      configuration = try parseConfiguration(&line)
      try line.takeMark(":")
    }
    var claims: [LitmusClaim] = []
    repeat { claims.append(try parseClaim(&line)) } while line.takeMark(ifNext: ",")
    return LitmusExpectation(configuration: configuration, claims: claims)
  }

  private func parseClaim(_ line: inout LitmusLine) throws(LitmusError) -> LitmusClaim {
    let subject = try line.takeWord("a claim")
    if subject.spelling == "fails" { return .fails }
    if line.takeMark(ifNext: "=") {
      if processes.contains(String(subject.spelling)), line.takeWord(ifNext: "gone") {
        return .gone(LitmusProcess(name: String(subject.spelling)))
      }
      return .entry(try entryRange(subject, line), try parseEntry(&line))
    }
    if line.takeWord(ifNext: "reads") {
      let word = try line.takeWord("'stored' or 'zeros'")
      guard let content = LitmusContent(rawValue: String(word.spelling)) else {
        throw line.error(at: word, "expected 'stored' or 'zeros', found '\(word.spelling)'")
      }
      return .content(try entryRange(subject, line), content)
    }
    if line.takeWord(ifNext: "table") {
      if line.takeWord(ifNext: "present") { return .table(try entryRange(subject, line), present: true) }
      guard line.takeWord(ifNext: "absent") else { throw line.error("expected 'present' or 'absent'") }
      return .table(try entryRange(subject, line), present: false)
    }
    return .folio(try parseFolioFact(subject, &line))
  }

  private func parseFolioFact(_ subject: LitmusToken, _ line: inout LitmusLine) throws(LitmusError) -> LitmusFolioFact {
    let parts = subject.spelling.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard Self.isFolioName(parts[0]) else {
      throw line.error(at: subject, "'\(subject.spelling)' is neither an entry nor a folio")
    }
    let folio = String(parts[0])
    if parts.count == 2 {
      guard let page = Self.number(parts[1]) else {
        throw line.error(at: subject, "'\(subject.spelling)' is no page of a folio")
      }
      guard line.takeWord(ifNext: "PAE") else { throw line.error("expected 'PAE'") }
      let bit = try parseNumber(&line, "0 or 1")
      guard bit <= 1 else { throw line.error("the bit is 0 or 1") }
      return LitmusFolioFact(folio: folio, fact: .pageAnonExclusive(page: page, bit == 1))
    }
    let word = try line.takeWord("a property of the folio")
    let fact: LitmusFolioFact.Fact
    switch word.spelling {
    case "refs": fact = .references(try parseNumber(&line, "a number of references"))
    case "mapcount": fact = .mapCount(try parseNumber(&line, "a number of mappings"))
    case "pins": fact = .pins(try parseNumber(&line, "a number of pins"))
    case "order": fact = .order(try parseNumber(&line, "an order"))
    case "dirty": fact = .dirty(true)
    case "clean": fact = .dirty(false)
    case "lazyfree": fact = .lazyFree(true)
    case "swapbacked": fact = .lazyFree(false)
    case "in-swapcache": fact = .swapCache(true)
    case "not-in-swapcache": fact = .swapCache(false)
    case "under-writeback": fact = .writeback(true)
    case "not-under-writeback": fact = .writeback(false)
    case "ksm": fact = .ksm(true)
    case "not-ksm": fact = .ksm(false)
    default: throw line.error(at: word, "unknown property '\(word.spelling)' of a folio")
    }
    return LitmusFolioFact(folio: folio, fact: fact)
  }

  // verdict CONFIGURATION {| CONFIGURATION}: GROUP {; GROUP}
  func parseVerdict(_ line: inout LitmusLine) throws(LitmusError) -> LitmusVerdict {
    var configurations: [LitmusConfiguration] = []
    repeat {
      if line.takeWord(ifNext: "*") {
        configurations += LitmusConfiguration.complete
      } else {
        configurations.append(try parseConfiguration(&line))
      }
    } while line.takeMark(ifNext: "|")
    try line.takeMark(":")
    var groups: [LitmusVerdict.Group] = []
    repeat { groups.append(try parseGroup(&line)) } while line.takeMark(ifNext: ";")
    return LitmusVerdict(configurations: configurations, groups: groups)
  }

  private func parseGroup(_ line: inout LitmusLine) throws(LitmusError) -> LitmusVerdict.Group {
    var entries: [LitmusEntryRange] = []
    if let word = line.peek, word.kind == .word, LitmusOutcome(word: word.spelling) == nil {
      repeat {
        let word = try line.takeWord("an entry")
        entries.append(try entryRange(word, line))
      } while line.takeMark(ifNext: ",")
    }
    var outcomes: [LitmusOutcome] = []
    while let word = line.peek, word.kind == .word {
      guard let outcome = LitmusOutcome(word: word.spelling) else {
        throw line.error("unknown verdict '\(word.spelling)'")
      }
      outcomes.append(outcome)
      _ = line.takeToken()
    }
    if outcomes.isEmpty { throw line.error("expected a verdict") }
    let states = outcomes.count { if case .verdict = $0 { true } else { false } }
    if states > 1 { throw line.error("an entry has one verdict at a time (beside LOST)") }
    return LitmusVerdict.Group(entries: entries, outcomes: outcomes)
  }

  // cost CONFIGURATION: NAME VALUE {, NAME VALUE}
  func parseCost(_ line: inout LitmusLine) throws(LitmusError) -> LitmusCost {
    let configuration = try parseConfiguration(&line)
    try line.takeMark(":")
    var figures: [(name: String, value: Int)] = []
    repeat {
      let name = try line.takeWord("the name of a cost")
      figures.append((String(name.spelling), try parseNumber(&line, "a number")))
    } while line.takeMark(ifNext: ",")
    return LitmusCost(configuration: configuration, figures: figures)
  }

  // ENCODING [without SWITCH {, SWITCH}] [with CHOICE {, CHOICE}]
  func parseConfiguration(_ line: inout LitmusLine) throws(LitmusError) -> LitmusConfiguration {
    let word = try line.takeWord("an encoding")
    guard let encoding = Self.encoding(word.spelling) else {
      let known = EncodingID.allCases.map(\.rawValue).joined(separator: ", ")
      throw line.error(at: word, "unknown encoding '\(word.spelling)'; known: \(known), and C for C-strict")
    }
    var configuration = LitmusConfiguration(encoding)
    if line.takeWord(ifNext: "without") {
      repeat { configuration.without.append(try parseSwitch(&line, of: encoding)) } while line.takeMark(ifNext: ",")
    }
    if line.takeWord(ifNext: "with") {
      repeat {
        let word = try line.takeWord("a design choice")
        guard let choice = LitmusChoice(rawValue: String(word.spelling)) else {
          let known = LitmusChoice.allCases.map(\.rawValue).joined(separator: ", ")
          throw line.error(at: word, "unknown design choice '\(word.spelling)'; known: \(known)")
        }
        configuration.with.append(choice)
      } while line.takeMark(ifNext: ",")
    }
    return configuration
  }

  private func parseSwitch(_ line: inout LitmusLine, of encoding: EncodingID) throws(LitmusError) -> String {
    let word = try line.takeWord("a call-site switch")
    guard LitmusSwitches.names(of: encoding).contains(String(word.spelling)) else {
      throw line.error(at: word, "\(encoding.rawValue) has no switch '\(word.spelling)'")
    }
    return String(word.spelling)
  }

  /// `C` alone means the proposal done fully.
  static func encoding(_ text: Substring) -> EncodingID? {
    text == "C" ? .cStrict : EncodingID(rawValue: String(text))
  }
}

extension LitmusConfiguration {
  /// What `*` stands for: every encoding as proposed.
  static let complete = EncodingRegistry.all.filter { $0.role != .today && $0.role != .variant }.map {
    LitmusConfiguration($0.id)
  }
}
