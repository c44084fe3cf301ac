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
      + result.examples.prefix(examples).map { example in
        let place = example.page.map { ", addr \($0.address(pageShift: pageShift))" } ?? ""
        return style.dim("    \(example.text) (seq \(example.sequence.rawValue)\(place))")
      }
  }

  /// Those of an audit that this program has not are their own words.
  static func words(of figure: String, in audit: String) -> String {
    AuditRegistry.audit(named: audit)?.description.figures.first { $0.name == figure }?.words ?? figure
  }
}
