// SPDX-License-Identifier: GPL-2.0-only

import FoundationEssentials
import MMEvents
import Replay

/// A merged result as a file: lines like those of a result, in an order that does not depend on how it came about.
package enum MergedFile {
  /// Of a merge, or of one capture's result that says where it comes from.
  package static func read(_ bytes: [UInt8]) throws(ReportError) -> MergedResult {
    if isMerge(bytes) { return try lines(bytes) }
    let (result, notRead) = try ResultReader.readNamingRest(bytes)
    guard let origin = ResultOrigin.read(from: bytes) else {
      throw .notMergeable("no origin line: `cowscope replay --result DIR` writes one")
    }
    return try MergedResult(result, origin: origin, notRead: notRead)
  }

  /// Whether it begins as a merged result does.
  package static func isMerge(_ bytes: some Collection<UInt8>) -> Bool {
    let line = Data(bytes.prefix(while: { $0 != 0x0a }))
    do {
      return try JSONDecoder().decode(ResultLine.Kind.self, from: line).type == "merge"
    } catch {
      return false
    }
  }

  private static func lines(_ bytes: [UInt8]) throws(ReportError) -> MergedResult {
    var result = MergedResult.empty
    var number = 0
    for line in bytes.split(separator: 0x0a, omittingEmptySubsequences: false) {
      number += 1
      if line.isEmpty { continue }
      let reader = MergedLineReader(data: Data(line), number: number)
      if try reader.read(into: &result) { return result }
    }
    throw .incomplete
  }

  // — writing

  /// The whole file, ending in a newline.
  package static func lines(of result: MergedResult) throws(ReportError) -> [UInt8] {
    var bytes = try JSONLine.encode(result.header)
    for (_, part) in result.parts.sorted(by: { $0.key < $1.key }) { bytes += try JSONLine.encode(part) }
    for encoding in result.encodingsInOrder { bytes += try JSONLine.encode(encoding) }
    for (_, found) in result.divergences.sorted(by: { $0.key < $1.key }) { bytes += try JSONLine.encode(found) }
    for (_, audit) in result.audits.sorted(by: { $0.key < $1.key }) { bytes += try JSONLine.encode(audit) }
    if let timeline = result.timeline { bytes += try JSONLine.encode(MergedLine.Timeline(series: timeline)) }
    bytes += try JSONLine.encode(result.loss)
    for (gap, count) in result.gapCounts.met { bytes += try JSONLine.encode(ResultLine.Gap(gap, count)) }
    return bytes
      + (try JSONLine.encode(MergedLine.Summary(verification: result.verification, exit: result.isTrusted ? 0 : 3)))
  }
}

/// One line of a merged result; what the header says besides the parts follows from them.
private struct MergedLineReader {
  let data: Data
  let number: Int

  /// Returns whether the line was the `summary`.
  func read(into result: inout MergedResult) throws(ReportError) -> Bool {
    switch try decode(ResultLine.Kind.self).type {
    case "merge":
      let version = try decode(ResultLine.Version.self).version
      guard version == ResultLine.version else { throw .unsupportedVersion(version) }
      result.notMerged = try decode(MergedLine.Header.self).notMerged
    case "part":
      let part = try decode(MergedLine.Part.self)
      let key = MergedResult.Key(kernel: part.kernel, host: part.host, capture: part.capture)
      guard result.parts.updateValue(part, forKey: key) == nil else {
        throw bad("capture \(part.capture) is there twice")
      }
    case "encoding":
      let line = try decode(MergedLine.Encoding.self)
      try known(line.id, EncodingID.init(rawValue:), "encoding")
      for name in line.verdicts.keys { try known(name, Verdict.init(rawValue:), "verdict") }
      for name in line.states.keys { try known(name, RuleID.init(rawValue:), "rule") }
      guard result.encodings.updateValue(line, forKey: line.id) == nil else { throw bad("\(line.id) is there twice") }
    case "divergence":
      let line = try decode(MergedLine.Divergence.self)
      guard result.divergences.updateValue(line, forKey: try signature(line)) == nil else {
        throw bad("a signature is there twice")
      }
    case "audit":
      let line = try decode(MergedLine.Audit.self)
      guard result.audits.updateValue(line, forKey: line.name) == nil else { throw bad("\(line.name) is there twice") }
    case "timeline": result.timeline = try decode(MergedLine.Timeline.self).series
    case "loss": result.loss = try decode(MergedLine.Loss.self)
    case "gap":
      let line = try decode(ResultLine.Gap.self)
      try known(line.name, Gap.init(name:), "gap")
      result.gaps[line.name] = line.count
    case "summary":
      result.verification = try decode(MergedLine.Summary.self).verification
      return true
    case let kind: throw bad("a merge has no line of type \"\(kind)\"")
    }
    return false
  }

  private func signature(_ line: MergedLine.Divergence) throws(ReportError) -> Signature {
    guard line.order < 32 else { throw bad("folio order \(line.order)") }
    return Signature(
      encoding: try known(line.encoding, EncodingID.init(rawValue:), "encoding"),
      verdict: try known(line.verdict, Verdict.init(rawValue:), "verdict"),
      certainty: try known(line.certainty, Certainty.init(rawValue:), "certainty"),
      rule: try known(line.rule, RuleID.init(rawValue:), "rule"),
      transition: try known(line.transition, Transition.init(rawValue:), "transition"), order: FolioOrder(line.order))
  }

  @discardableResult
  private func known<Value>(
    _ name: String, _ value: (String) -> Value?, _ kind: String
  ) throws(ReportError) -> Value {
    guard let value = value(name) else { throw bad("unknown \(kind) \"\(name)\"") }
    return value
  }

  private func bad(_ reason: String) -> ReportError { .badLine(number, reason: reason) }

  private func decode<Line: Decodable>(_ type: Line.Type) throws(ReportError) -> Line {
    do {
      return try JSONDecoder().decode(type, from: data)
    } catch {
      throw bad("not a \(Line.self) object of a merge")
    }
  }
}
