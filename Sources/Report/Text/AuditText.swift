// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// What the audits counted: for each its question's name, its figures in words, and examples. Those of which nothing
/// happened are left out.
struct AuditText {
  let style: Style
  let width: Int
  /// So many examples of each.
  let examples: Int
  /// How many of the last lines of a history; `nil` is all.
  let historyLimit: Int?

  func lines(_ result: ReplayResult) -> [String] {
    let met = result.audits.filter { !$0.isEmpty }
    guard !met.isEmpty else { return [] }
    let rest = result.trust.isTrusted ? "; all else 0" : "; nothing else in what could be seen"
    return ["", style.bold("AUDITS") + ": `cowscope explain NAME`"]
      + met.flatMap { lines($0, rest: rest, result.capture.pageShift) }
  }

  /// `rest`: what is said of figures that are 0.
  private func lines(_ result: AuditResult, rest: String, _ pageShift: UInt8) -> [String] {
    let figures = result.figures.filter { $0.count > 0 }.map {
      "\(Numbers.grouped($0.count)) \(AuditText.words(of: $0.name, in: result.name))"
    }
    var sentence = "\(result.name): " + figures.joined(separator: ", ")
    if figures.count < result.figures.count { sentence += rest }
    if !result.notObservable.isEmpty {
      sentence += "; not observable here: " + result.notObservable.joined(separator: ", ")
    }
    return Paragraph.lines(sentence, indent: "  ", width: width)
      + result.examples.prefix(examples).flatMap { lines($0, pageShift) }
  }

  private func lines(_ example: AuditExample, _ pageShift: UInt8) -> [String] {
    let place = example.page.map { ", addr \($0.address(pageShift: pageShift))" } ?? ""
    let sentence = "\(example.text) (seq \(example.sequence.rawValue)\(place))"
    guard example.isFinding else { return [style.dim("    \(sentence)")] }
    return Paragraph.lines(sentence, indent: "    ", width: width).map(style.bad)
      + HistoryText(style: style, encoding: nil, limit: historyLimit, width: width).lines(example.history)
  }

  /// `16 pages lost (KERNEL-LOSS)`: what an audit holds against today's kernel.
  static func defects(_ result: ReplayResult) -> [String] {
    result.audits.flatMap { audit in
      audit.defectFigures.filter { audit[$0.name] > 0 }.map { "\(Numbers.grouped(audit[$0.name])) \($0.words)" }
    }
  }

  /// Those of an audit that this program has not are their own words.
  static func words(of figure: String, in audit: String) -> String {
    AuditRegistry.audit(named: audit)?.description.figures.first { $0.name == figure }?.words ?? figure
  }
}

extension AuditResult {
  /// Those that have to be 0; none of an audit that this program has not.
  var defectFigures: [AuditDescription.Figure] {
    AuditRegistry.audit(named: name)?.description.figures.filter(\.isDefect) ?? []
  }
}
