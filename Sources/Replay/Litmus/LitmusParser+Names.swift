// SPDX-License-Identifier: GPL-2.0-only

/// Names, numbers and ranges.
extension LitmusParser {
  /// A process that an earlier line introduced.
  func parseProcess(_ line: inout LitmusLine) throws(LitmusError) -> LitmusProcess {
    let word = try line.takeWord("a process")
    guard processes.contains(String(word.spelling)) else {
      throw line.error(at: word, "no process '\(word.spelling)' here: 'process' or 'fork' introduces one")
    }
    return LitmusProcess(name: String(word.spelling))
  }

  mutating func parseNewProcess(_ line: inout LitmusLine) throws(LitmusError) -> LitmusProcess {
    let word = try line.takeWord("a name for the process")
    guard !word.spelling.isEmpty, word.spelling.allSatisfy({ $0.isASCII && $0.isUppercase }) else {
      throw line.error(at: word, "a process is named with capital letters, not '\(word.spelling)'")
    }
    let name = String(word.spelling)
    guard processes.insert(name).inserted || ended.remove(name) != nil else {
      throw line.error(at: word, "there is a process '\(word.spelling)' already")
    }
    return LitmusProcess(name: name)
  }

  /// `0`, `0..3`: pages, both ends included.
  func parsePages(_ line: inout LitmusLine) throws(LitmusError) -> ClosedRange<Int> {
    let word = try line.takeWord("a page or a range of pages")
    guard let range = Self.pages(word.spelling) else {
      throw line.error(at: word, "'\(word.spelling)' is no page and no range such as 0..3")
    }
    return range
  }

  func parsePage(_ line: inout LitmusLine) throws(LitmusError) -> Int {
    let word = try line.takeWord("a page")
    guard let page = Self.number(word.spelling) else { throw line.error(at: word, "'\(word.spelling)' is no page") }
    return page
  }

  func parseNumber(_ line: inout LitmusLine, _ what: String) throws(LitmusError) -> Int {
    let word = try line.takeWord(what)
    guard let value = Self.number(word.spelling) else {
      throw line.error(at: word, "expected \(what), found '\(word.spelling)'")
    }
    return value
  }

  /// `P 0..3`
  func parseSite(_ line: inout LitmusLine) throws(LitmusError) -> LitmusEntryRange {
    let process = try parseProcess(&line)
    return LitmusEntryRange(process: process, pages: try parsePages(&line))
  }

  /// `P0..3`: the process and the pages in one word.
  func entryRange(_ word: LitmusToken, _ line: LitmusLine) throws(LitmusError) -> LitmusEntryRange {
    let name = word.spelling.prefix { $0.isUppercase }
    guard !name.isEmpty, let pages = Self.pages(word.spelling[name.endIndex...]) else {
      throw line.error(at: word, "'\(word.spelling)' is no entry such as P0 or P0..3")
    }
    guard processes.contains(String(name)) else { throw line.error(at: word, "no process '\(name)' here") }
    return LitmusEntryRange(process: LitmusProcess(name: String(name)), pages: pages)
  }

  /// `CPU1`
  func parseCPU(_ line: inout LitmusLine) throws(LitmusError) -> CPUNumber {
    let word = try line.takeWord("a CPU")
    guard word.spelling.hasPrefix("CPU"), let number = Self.number(word.spelling.dropFirst(3)) else {
      throw line.error(at: word, "expected a CPU such as CPU1, found '\(word.spelling)'")
    }
    return CPUNumber(number)
  }

  /// `F`, `G2`: the name of a folio.
  func parseFolioName(_ line: inout LitmusLine) throws(LitmusError) -> String {
    let word = try line.takeWord("the name of a folio")
    guard Self.isFolioName(word.spelling) else {
      throw line.error(at: word, "'\(word.spelling)' is no name of a folio (a capital letter, then letters or digits)")
    }
    return String(word.spelling)
  }

  static func isFolioName(_ text: Substring) -> Bool {
    guard let first = text.first, first.isASCII, first.isUppercase else { return false }
    return text.allSatisfy { $0.isASCII && ($0.isUppercase || $0.isNumber) }
  }

  static func pages(_ text: Substring) -> ClosedRange<Int>? {
    let parts = text.split(separator: "..", maxSplits: 1, omittingEmptySubsequences: false)
    guard let low = number(parts[0]) else { return nil }
    guard parts.count == 2 else { return low...low }
    guard let high = number(parts[1]), low <= high else { return nil }
    return low...high
  }

  /// Decimal digits only: no sign, no more than a page table can need.
  static func number(_ text: Substring) -> Int? {
    guard !text.isEmpty, text.count <= 10, text.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
    return Int(text)
  }
}
