// SPDX-License-Identifier: GPL-2.0-only

import Replay

/// The words of the page, each in a sentence.
extension HTMLReport {
  func glossary(_ result: ReplayResult) -> String {
    let encodings = result.encodings.map { ($0.id.rawValue, EncodingCatalogue.summary(of: $0.id)) }
    let verdicts = Verdict.allCases.sorted().filter { $0 != .ok }.map { ($0.rawValue, $0.catalogueEntry.summary) }
    let ids = result.divergencesTold.map(\.rule) + result.encodings.flatMap { $0.states.map(\.rule) }
    let rules = RuleCatalogue.all.filter { ids.contains($0.id) }.map { ($0.id.rawValue, $0.catalogueEntry.summary) }
    let names = CostCatalogue.names(in: result)
    let costs = CostCatalogue.all.filter { names.contains($0.name) }.map { ($0.name, $0.summary) }
    let groups = [
      ("Encodings", encodings), ("Words of the table", Self.words), ("Verdicts", verdicts), ("Rules", rules),
      ("Costs", costs),
    ]
    return groups.filter { !$0.1.isEmpty }.map { title, entries in
      let list = entries.map { "<dt>\(Markup.escaped($0.0))</dt><dd>\(Markup.escaped($0.1))</dd>" }
      return "<details class=\"glossary\"><summary>\(title)</summary><dl>\(list.joined())</dl></details>"
    }.joined(separator: "\n")
  }

  private static let words = [
    (
      "safe",
      "nothing that corrupts data, detaches a pin or breaks a rule, certain or possible, in what could be observed"
    ),
    ("safe, slower", "the same, but entries came to need a copy or a fault that today's kernel does not need"),
    ("breaks", "for certain, whatever the unknown facts are, an entry came to hold a verdict that breaks the rule"),
    ("may break", "the same, for some values of what is unknown"),
    ("not shown unsafe", "nothing was found, in a result that is not trusted"),
    ("definite", "it holds for every value of every fact that is not known"),
    ("possible", "it holds for some values of the facts that are not known; never added to what is definite"),
    ("n/o", "not observable: the trace cannot show it"),
    ("-", "the encoding cannot come to hold it, by definition"),
    ("entry", "of a page table, or of a PMD: a huge page is one entry, or 512"),
    ("exclusive", "today's flag is set: one process has the page, and may write to it without a copy"),
    ("shared", "today's flag is clear: others map the page, or did and nobody wrote to it since"),
    ("reuse", "a write fault kept the page instead of copying it"),
    ("mm", "an address space, numbered in the order in which they came into view"),
    ("seq", "the position of a record in the capture"),
  ]
}
