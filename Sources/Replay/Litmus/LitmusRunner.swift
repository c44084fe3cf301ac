// SPDX-License-Identifier: GPL-2.0-only

/// Runs stories: the baseline once for its states, then the baseline beside every configuration a story names.
package enum LitmusRunner {
  /// What to run of a story.
  package struct Selection: Sendable {
    /// `nil`: every encoding.
    package var encodings: Set<EncodingID>?
    /// Call sites switched off in every configuration, on top of what a story switches off.
    package var without: [String] = []
    /// Call sites switched on where a story switches them off.
    package var restoring: [String] = []
    /// `nil`: every kernel the story names.
    package var kernel: LitmusKernel?
    /// A transition that does nothing, in every world: what is lost without it?
    package var skipped: KernelPath?
    package var registry: [any Encoding.Type] = EncodingRegistry.all

    package init() {}
  }

  /// One result per (story, configuration), the baseline's states first. Empty when the story does not run on the
  /// selected kernel.
  package static func run(_ scenario: LitmusScenario, _ selection: Selection = Selection()) -> [LitmusResult] {
    let kernels = scenario.kernels.filter { selection.kernel == nil || $0 == selection.kernel }
    guard !kernels.isEmpty else { return [] }
    var results: [LitmusResult] = []
    if selection.encodings?.contains(.baseline) ?? true {
      results.append(run(scenario, nil, kernels, selection))
    }
    for configuration in scenario.configurations + unheardOf(scenario, selection) {
      guard selection.encodings?.contains(configuration.encoding) ?? true else { continue }
      results.append(run(scenario, configuration, kernels, selection))
    }
    return results
  }

  /// Where every encoding done fully comes out right, one that the files do not know yet has to.
  private static func unheardOf(_ scenario: LitmusScenario, _ selection: Selection) -> [LitmusConfiguration] {
    let known = Set(scenario.configurations)
    guard known.isSuperset(of: LitmusConfiguration.complete) else { return [] }
    return selection.registry.filter { encoding in
      encoding.role != .today && (encoding.role != .variant || selection.encodings?.contains(encoding.id) == true)
    }
    .map { LitmusConfiguration($0.id) }.filter { !known.contains($0) }
  }

  private static func run(
    _ scenario: LitmusScenario, _ configuration: LitmusConfiguration?, _ kernels: [LitmusKernel],
    _ selection: Selection
  ) -> LitmusResult {
    var failures: [LitmusFailure] = []
    for kernel in kernels { failures += run(scenario, configuration, kernel, selection) }
    return LitmusResult(
      scenario: scenario.id, title: scenario.title, file: scenario.file, line: scenario.line,
      configuration: configuration, kernels: kernels, failures: failures)
  }

  static func run(
    _ scenario: LitmusScenario, _ configuration: LitmusConfiguration?, _ kernel: LitmusKernel, _ selection: Selection
  ) -> [LitmusFailure] {
    guard let id = configuration?.encoding, let encoding = selection.registry.first(where: { $0.id == id }) else {
      // The baseline's states, and audits of them.
      return play(Baseline.self, scenario, configuration, kernel, selection)
    }
    return play(encoding, scenario, configuration, kernel, selection)
  }

  /// Stories are short: one generic body serves every encoding. A copy of the player and of all transitions behind
  /// it for each of them would be half of what the module takes to compile.
  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  private static func play<E: Encoding>(
    _ encoding: E.Type, _ scenario: LitmusScenario, _ configuration: LitmusConfiguration?, _ kernel: LitmusKernel,
    _ selection: Selection
  ) -> [LitmusFailure] {
    var run = LitmusRun<E>(scenario, configuration, kernel, selection)
    return run.play()
  }
}
