// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// What became of the encodings, in words and in numbers.
extension HTMLReport {
  func encodings(_ result: ReplayResult) -> String { proposals(result) + "\n" + table(result) }

  private func proposals(_ result: ReplayResult) -> String {
    let rows = result.subjects.map { encoding in
      let summary = ProposalSummary(encoding, in: result)
      return Markup.row(
        encoding.id.rawValue, title: EncodingCatalogue.summary(of: encoding.id),
        [Markup.cell(summary.word.text, rating(summary.word)), Markup.cell(summary.why)])
    }
    let unseen = UnobservableNames(result).rows.map { obstacle, names in
      "<p>Not observable here: \(Markup.escaped(names.joined(separator: ", "))): "
        + "\(Markup.escaped(obstacle.sentence)).</p>"
    }
    return Markup.table(
      "Each proposal in a word", css: "words", head: ["encoding", "here", "why, and what it costs here"], rows: rows)
      + "\n" + unseen.joined(separator: "\n")
  }

  private func table(_ result: ReplayResult) -> String {
    let encodings = result.encodings.filter { $0.id == .baseline } + result.subjects.filter { $0.id != .baseline }
    // Today's kernel is what the others are judged against.
    func isToday(_ encoding: EncodingResult) -> Bool { encoding.id == .baseline }
    let nothing = Markup.cell("-", "zero")
    let judged = encodings.map { isToday($0) ? nothing : Markup.cell(Numbers.grouped($0.checks)) }
    var rows = [Markup.row("entries judged", judged)]
    for verdict in Verdict.allCases.sorted() where verdict != .ok {
      for certainty in Certainty.allCases {
        rows.append(
          Markup.row(
            "\(verdict.rawValue), \(certainty.rawValue)", title: verdict.catalogueEntry.summary,
            encodings.map {
              isToday($0) ? nothing : cell($0.observation(of: verdict, in: result.capture), certainty, verdict)
            }))
      }
    }
    for name in CostCatalogue.names(in: result) {
      let cells = encodings.map { encoding -> String in
        switch encoding.observation(ofCost: name, in: result.capture) {
        case .evaluated(let count): Markup.cell(Numbers.grouped(count), count == 0 ? "zero" : "")
        case .bounded(let low, let high): Markup.cell("\(Numbers.grouped(low))..\(Numbers.grouped(high))")
        case .notObservable(let obstacle): unobservable(obstacle)
        case nil: nothing
        }
      }
      rows.append(Markup.row(name, cells))
    }
    return Markup.table(
      "Entries that came to hold each verdict, and costs",
      head: [""] + encodings.map { isToday($0) ? "today" : $0.id.rawValue },
      rows: rows)
  }

  private func cell(_ observation: Observation<CertaintyCounts>?, _ certainty: Certainty, _ verdict: Verdict) -> String
  {
    switch observation {
    case .evaluated(let counts), .bounded(_, let counts):
      let count = counts[certainty]
      return Markup.cell(Numbers.grouped(count), count == 0 ? "zero" : rating(verdict))
    case .notObservable(let obstacle): return unobservable(obstacle)
    case nil: return Markup.cell("-", "zero")
    }
  }

  private func unobservable(_ obstacle: Obstacle) -> String {
    "<td class=\"zero\" title=\"\(Markup.escaped(obstacle.sentence))\">n/o</td>"
  }

  func callSites(_ result: ReplayResult) -> String {
    guard let sites = CallSites(result), !sites.rows.isEmpty else { return "" }
    let rows = sites.rows.map { row in
      let example = row.example
      return Markup.row(
        row.site?.rawValue ?? "elsewhere",
        [
          Markup.cell(Numbers.grouped(row.entries.definite)), Markup.cell(Numbers.grouped(row.entries.possible)),
          Markup.cell(row.site?.description.source ?? ""),
          Markup.cell(row.site?.description.duty ?? "what another path left behind"),
          Markup.cell(
            "\(example.verdict.rawValue) at \(example.transition.rawValue), seq \(example.firstSequence.rawValue), "
              + "mm\(example.mm.rawValue), \(example.page.address(pageShift: result.capture.pageShift))"),
        ])
    }
    return "<p>Where the entries of today's kernel do not say what today's flag says: what a patch for C has to "
      + "change.</p>\n"
      + Markup.table(
        "Call sites", css: "sites",
        head: [
          "site", "entries, definite", "entries, possible", "kernel functions", "what has to be done", "first example",
        ], rows: rows)
  }

  // — how things look

  func rating(_ word: ProposalSummary.Word) -> String {
    switch word {
    case .breaks: "bad"
    case .mayBreak, .safeButSlower, .notShownUnsafe: "warn"
    case .safe: "good"
    }
  }

  func rating(_ verdict: Verdict) -> String {
    if FailureCondition.corruption.includes(verdict) { return "bad" }
    return FailureCondition.divergence.includes(verdict) ? "warn" : "good"
  }
}
