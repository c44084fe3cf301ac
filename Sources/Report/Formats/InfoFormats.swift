// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// `info --json`.
private struct InfoObject: Encodable {
  var version = ResultLine.version
  var name: String
  var kernel: String
  var records: UInt64
  var events: [String: UInt64]
  /// CPU number to records lost; `null` where the kernel gave no count.
  var lost: [String: UInt64?]
  var spanNanoseconds: UInt64
  var gaps: [ResultLine.Gap]
  /// A list: some names (`note`) occur more than once.
  var knownDefects: [String]
  var facts: [Fact]
  var settings: [Fact]

  struct Fact: Encodable {
    var name: String
    var value: String
  }

  enum CodingKeys: String, CodingKey {
    case version, name, kernel, records, events, lost
    case spanNanoseconds = "span_ns"
    case knownDefects = "known_defects"
    case gaps, facts, settings
  }
}

extension CaptureInfo {
  /// One JSON object on one line, keys sorted.
  package func json() throws(ReportError) -> [UInt8] {
    let object = InfoObject(
      name: name, kernel: kernel, records: records, events: events,
      lost: Dictionary(lost.map { (String($0.cpu.rawValue), $0.count) }) { a, b in a.flatMap { a in b.map { a + $0 } }
      },
      spanNanoseconds: spanNanoseconds, gaps: gaps.met.map { ResultLine.Gap($0.gap, $0.count) },
      knownDefects: KernelDefect.present(in: kernel).map(\.name),
      facts: facts.map { InfoObject.Fact(name: $0.name, value: $0.value) },
      settings: settings.map { InfoObject.Fact(name: $0.name, value: $0.value) })
    return try JSONLine.encode(object)
  }

  /// For people, ending in a newline.
  package func text(style: Style, showsSettings: Bool) -> String {
    var lines = [style.bold("cowscope: \(name)"), "  kernel \(kernel)"]
    lines.append("  \(Numbers.plural(records, "record")) in \(Numbers.seconds(spanNanoseconds))")
    let lostSome = lost.filter { $0.count != 0 }
    if lostSome.isEmpty {
      lines.append("  lost: nothing" + (lost.isEmpty ? "" : " on \(Numbers.plural(UInt64(lost.count), "CPU"))"))
    } else {
      lines += lostSome.map { entry in
        style.bad("  lost: cpu\(entry.cpu.rawValue) \(entry.count.map(Numbers.grouped) ?? "an unknown number")")
      }
    }
    lines += GapText(style: style).lines(gaps)
    lines += section(
      "KNOWN DEFECTS OF THIS KERNEL", KernelDefect.present(in: kernel).map { ($0.name, $0.summary) }, style)
    lines += section("HOST", facts, style)
    if showsSettings {
      lines += section("SETTINGS", settings, style)
    } else if !settings.isEmpty {
      lines.append(style.dim("  \(settings.count) settings of the host (-v shows them)"))
    }
    if !events.isEmpty {
      lines += ["", style.bold("EVENTS")]
      var table = TextTable()
      for (name, count) in events.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
        table.add([name, Numbers.grouped(count)])
      }
      lines += table.lines(indentedBy: 2)
    }
    return style.printed(lines)
  }
  private func section(_ title: String, _ rows: [(name: String, value: String)], _ style: Style) -> [String] {
    guard !rows.isEmpty else { return [] }
    let width = rows.map(\.name.count).max() ?? 0
    return ["", style.bold(title)]
      + rows.map { "  " + $0.name + String(repeating: " ", count: width - $0.name.count) + "  " + $0.value }
  }
}
