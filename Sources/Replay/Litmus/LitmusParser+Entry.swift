// SPDX-License-Identifier: GPL-2.0-only

/// One entry, as fixtures/litmus/README.md has it.
extension LitmusParser {
  func parseEntry(_ line: inout LitmusLine) throws(LitmusError) -> LitmusEntry {
    let word = try line.takeWord("what the entry holds")
    switch word.spelling {
    case "none": return .none
    case "no-vma": return .noVMA
    case "hwpoison": return .hwpoison
    case "file": return .file
    case "zero": return .zeroPage(try parseBits(&line).bits)
    case "swap": return try parseSwap(&line)
    case "migration": return try parseMigration(&line)
    case "marker":
      let kind = try line.takeWord("a kind of marker")
      guard let marker = LitmusMarker(rawValue: String(kind.spelling)) else {
        throw line.error(at: kind, "unknown marker '\(kind.spelling)'")
      }
      return .marker(marker)
    case "device-private":
      let kind = try line.takeWord("W+, W-, R+ or R-")
      guard let type = kind.spelling.first, type == "W" || type == "R" else {
        throw line.error(at: kind, "expected W+, W-, R+ or R-")
      }
      let sign = try exclusive(kind.spelling.dropFirst(), kind, line)
      return .devicePrivate(writable: type == "W", sign, try parseOptionalTracking(&line, hasDirty: false))
    case "device-exclusive":
      let word = try line.takeWord("+ or -")
      let sign = try exclusive(word.spelling, word, line)
      return .deviceExclusive(sign, try parseOptionalTracking(&line, hasDirty: false))
    default: return try parsePresent(word, &line)
    }
  }

  private func parsePresent(_ first: LitmusToken, _ line: inout LitmusLine) throws(LitmusError) -> LitmusEntry {
    var page = first
    let huge = first.spelling == "pmd"
    let ksm = first.spelling == "ksm"
    if huge || ksm { page = try line.takeWord("a page of a folio") }
    let mapping = try mapping(page, huge: huge, ksm: ksm, line)
    let (bits, sign) = try parseBits(&line)
    guard let sign else { throw line.error("the bits of a present anonymous entry end with + or -") }
    return .present(mapping, bits, sign)
  }

  private func mapping(
    _ word: LitmusToken, huge: Bool, ksm: Bool, _ line: LitmusLine
  ) throws(LitmusError) -> LitmusMapping {
    if word.spelling == "*" { return LitmusMapping(folio: nil, page: 0, huge: huge, ksm: ksm) }
    let parts = word.spelling.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard Self.isFolioName(parts[0]), parts.count == 2, let page = Self.number(parts[1]) else {
      throw line.error(at: word, "'\(word.spelling)' is no page of a folio such as F.0, and no kind of entry")
    }
    return LitmusMapping(folio: String(parts[0]), page: page, huge: huge, ksm: ksm)
  }

  private func parseSwap(_ line: inout LitmusLine) throws(LitmusError) -> LitmusEntry {
    let exclusive: Bool
    if line.takeWord(ifNext: "excl") {
      exclusive = true
    } else if line.takeWord(ifNext: "shared") {
      exclusive = false
    } else {
      throw line.error("expected 'excl' or 'shared'")
    }
    return .swap(exclusive: exclusive, try parseOptionalTracking(&line, hasDirty: false))
  }

  private func parseMigration(_ line: inout LitmusLine) throws(LitmusError) -> LitmusEntry {
    let word = try line.takeWord("W, Rx or R")
    guard let type = LitmusMigration(rawValue: String(word.spelling)) else {
      throw line.error(at: word, "a migration entry is W, Rx or R, not '\(word.spelling)'")
    }
    return .migration(type, try parseOptionalTracking(&line, hasDirty: true))
  }

  /// `S`, `s`, `U` after an entry that is not present, and `D`, `c` where it carries a dirty bit: in any order, in one
  /// word or several.
  private func parseOptionalTracking(_ line: inout LitmusLine, hasDirty: Bool) throws(LitmusError) -> LitmusBits {
    var bits = LitmusBits()
    while let word = line.peek, word.kind == .word {
      for character in word.spelling {
        guard apply(character, to: &bits), bits.writable == nil, !bits.protnone, hasDirty || bits.dirty == nil else {
          throw line.error("'\(word.spelling)' is not made of \(hasDirty ? "D, c, " : "")S, s, U, each at most once")
        }
      }
      _ = line.takeToken()
    }
    return bits
  }

  /// `WD+`, `rcs-`, `rDU+`: the bits, then the sign where there is one.
  private func parseBits(
    _ line: inout LitmusLine
  ) throws(LitmusError) -> (bits: LitmusBits, sign: LitmusExclusive?) {
    let word = try line.takeWord("the bits of the entry")
    var bits = LitmusBits()
    var rest = word.spelling
    var sawQuestionMark = false
    while let character = rest.first, character != "+", character != "-" {
      if character == "?", bits.dirty == nil, !sawQuestionMark {
        sawQuestionMark = true
      } else if !apply(character, to: &bits) {
        throw line.error(at: word, "'\(character)' is no bit of an entry (W r D c ? S s U N, then + or -)")
      }
      rest = rest.dropFirst()
    }
    guard bits.writable != nil, bits.dirty != nil || sawQuestionMark else {
      throw line.error(at: word, "'\(word.spelling)' has to say W or r, and D, c or ?")
    }
    if rest.isEmpty { return (bits, nil) }
    return (bits, try exclusive(rest, word, line))
  }

  private func exclusive(
    _ text: Substring, _ word: LitmusToken, _ line: LitmusLine
  ) throws(LitmusError) -> LitmusExclusive {
    switch text {
    case "+": return .exclusive
    case "-": return .notExclusive
    default: throw line.error(at: word, "expected + or -, found '\(text)'")
    }
  }

  /// False when the character is no bit, or contradicts one already given.
  private func apply(_ character: Character, to bits: inout LitmusBits) -> Bool {
    switch character {
    case "W" where bits.writable == nil: bits.writable = true
    case "r" where bits.writable == nil: bits.writable = false
    case "D" where bits.dirty == nil: bits.dirty = true
    case "c" where bits.dirty == nil: bits.dirty = false
    case "S" where bits.softDirty == nil: bits.softDirty = true
    case "s" where bits.softDirty == nil: bits.softDirty = false
    case "U" where !bits.userfaultWriteProtect: bits.userfaultWriteProtect = true
    case "N" where !bits.protnone: bits.protnone = true
    default: return false
    }
    return true
  }
}
