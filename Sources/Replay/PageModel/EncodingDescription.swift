// SPDX-License-Identifier: GPL-2.0-only

/// What `list` and `explain` say of an encoding.
package struct EncodingDescription: Sendable {
  /// One line: where the bit lives.
  package var summary: String
  /// What it saves, what it costs, what it cannot say.
  package var text: String
  package var source: String?

  package init(_ summary: String, _ text: String = "", source: String? = nil) {
    self.summary = summary
    self.text = text
    self.source = source
  }
}

/// An encoding's claim read off the entries of the unmodified kernel: it needs no world of its own.
package struct EncodingAudit: Sendable {
  package var id: EncodingID
  package var description: EncodingDescription
  /// Those of the encoding's definition that can be asked of today's entries.
  package var definition: [RuleID]
}
