// SPDX-License-Identifier: GPL-2.0-only

import FoundationEssentials

/// Where a result among many comes from: which capture, of which host, by which program. The last line of its file.
package struct ResultOrigin: Sendable, Equatable {
  /// The content hash of the capture.
  package var capture: String
  /// As whoever replayed it named the host: captures do not say.
  package var host: String
  /// `uname -r`, or "unknown".
  package var kernel: String
  /// Program and version that replayed.
  package var tool: String
  package var workload: String?
  /// What was chosen for huge pages: `always`, `madvise`, `never`; `nil` where the capture does not say.
  package var thp: String?
  /// The same by size (`64kB`), for all that are not off. 2 MiB pages that follow `thp` are left out.
  package var mthp: [String: String]

  package init(
    capture: String, host: String, kernel: String, tool: String, workload: String? = nil, thp: String? = nil,
    mthp: [String: String] = [:]
  ) {
    (self.capture, self.host, self.kernel, self.tool) = (capture, host, kernel, tool)
    (self.workload, self.thp, self.mthp) = (workload, thp, mthp)
  }

  /// Settings as the manifest of a capture has them: path and content.
  package mutating func take(knobs: [String: String]) {
    let directory = "/sys/kernel/mm/transparent_hugepage/"
    thp = knobs[directory + "enabled"].flatMap(Self.chosen)
    mthp = [:]
    for (path, content) in knobs where path.hasPrefix(directory + "hugepages-") && path.hasSuffix("/enabled") {
      let size = String(path.dropFirst((directory + "hugepages-").count).dropLast("/enabled".count))
      guard let choice = Self.chosen(content), choice != "never", choice != "inherit" || size != "2048kB" else {
        continue
      }
      mthp[size] = choice
    }
  }

  /// Of `always [madvise] never`.
  private static func chosen(_ text: String) -> String? {
    guard let start = text.firstIndex(of: "["), let end = text[start...].firstIndex(of: "]") else { return nil }
    return String(text[text.index(after: start)..<end])
  }
}

extension ResultOrigin: Codable {
  private enum CodingKeys: String, CodingKey {
    case type, version, capture, host, kernel, tool, workload, thp, mthp
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    capture = try container.decode(String.self, forKey: .capture)
    host = try container.decode(String.self, forKey: .host)
    kernel = try container.decode(String.self, forKey: .kernel)
    tool = try container.decode(String.self, forKey: .tool)
    workload = try container.decodeIfPresent(String.self, forKey: .workload)
    thp = try container.decodeIfPresent(String.self, forKey: .thp)
    mthp = try container.decode([String: String].self, forKey: .mthp)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode("origin", forKey: .type)
    try container.encode(ResultLine.version, forKey: .version)
    try container.encode(capture, forKey: .capture)
    try container.encode(host, forKey: .host)
    try container.encode(kernel, forKey: .kernel)
    try container.encode(tool, forKey: .tool)
    try container.encode(workload, forKey: .workload)
    try container.encode(thp, forKey: .thp)
    try container.encode(mthp, forKey: .mthp)
  }
}

extension ResultOrigin {
  /// The result with its origin behind it.
  package func appended(to result: [UInt8]) throws(ReportError) -> [UInt8] { result + (try JSONLine.encode(self)) }

  /// That of a file; `nil` where its last line is none.
  package static func read(from file: [UInt8]) -> ResultOrigin? {
    guard file.last == 0x0a else { return nil }
    let start = file.dropLast().lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    let line = Data(file[start...])
    do {
      let decoder = JSONDecoder()
      guard try decoder.decode(ResultLine.Kind.self, from: line).type == "origin",
        try decoder.decode(ResultLine.Version.self, from: line).version == ResultLine.version
      else { return nil }
      return try decoder.decode(ResultOrigin.self, from: line)
    } catch {
      return nil
    }
  }
}
