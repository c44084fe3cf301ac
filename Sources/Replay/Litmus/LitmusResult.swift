// SPDX-License-Identifier: GPL-2.0-only

/// One (example, configuration), over all kernels it ran on: a test point.
package struct LitmusResult: Sendable {
  package var scenario: String
  package var title: String
  package var file: String
  package var line: Int
  /// `nil`: the states of today's kernel.
  package var configuration: LitmusConfiguration?
  package var kernels: [LitmusKernel]
  package var failures: [LitmusFailure]

  package var passed: Bool { failures.isEmpty }

  /// `B-14 B without b.move`
  package var name: String { "\(scenario) \(configuration?.description ?? EncodingID.baseline.rawValue)" }
}

/// Where a story and the model part ways.
package struct LitmusFailure: Sendable, Equatable {
  package var kernel: LitmusKernel
  /// Line of the step in the file; 0: before the first.
  package var line: Int
  /// The step as written.
  package var step: String
  /// An entry, a folio, or the step itself.
  package var subject: String
  package var expected: String
  package var got: String

  package var description: String {
    let place = line == 0 ? "before the first step" : "line \(line), after '\(step)'"
    return "[\(kernel.name)] \(place): \(subject): expected \(expected), got \(got)"
  }
}
