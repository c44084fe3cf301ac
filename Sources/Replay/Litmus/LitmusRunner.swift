// SPDX-License-Identifier: GPL-2.0-only

/// Runs stories: the baseline once for its states, then the baseline beside every configuration a story names.
package enum LitmusRunner {
  /// What to run of a story.
  package struct Selection: Sendable {
    /// `nil`: every encoding.
    package var encodings: Set<EncodingID>?
    /// Call sites switched off in every configuration, on top of what a story switches off.
    package var without: [String] = []
    /// `nil`: every kernel the story names.
    package var kernel: LitmusKernel?

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
    for configuration in scenario.configurations {
      guard selection.encodings?.contains(configuration.encoding) ?? true else { continue }
      results.append(run(scenario, configuration, kernels, selection))
    }
    return results
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

  private static func run(
    _ scenario: LitmusScenario, _ configuration: LitmusConfiguration?, _ kernel: LitmusKernel, _ selection: Selection
  ) -> [LitmusFailure] {
    switch configuration?.encoding {
    case nil, .baseline, .cRaw: play(Baseline.self, scenario, configuration, kernel, selection)
    case .aAndLazy: play(FolioFlag<AndLazy>.self, scenario, configuration, kernel, selection)
    case .aAndEager: play(FolioFlag<AndEager>.self, scenario, configuration, kernel, selection)
    case .aOr: play(FolioFlag<Or>.self, scenario, configuration, kernel, selection)
    case .b: play(PageTableBitmap.self, scenario, configuration, kernel, selection)
    case .cStrict: play(PTEBits.self, scenario, configuration, kernel, selection)
    }
  }

  /// Stories are short: one generic body serves every encoding. A copy of the player and of all transitions behind
  /// it for each of them would be half of what the module takes to compile.
  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  private static func play<E: Encoding>(
    _ encoding: E.Type, _ scenario: LitmusScenario, _ configuration: LitmusConfiguration?, _ kernel: LitmusKernel,
    _ selection: Selection
  ) -> [LitmusFailure] {
    var run = LitmusRun<E>(scenario, configuration, kernel, without: selection.without)
    return run.play()
  }
}

extension LitmusRunner {
  /// The first story that notices when one call site is forgotten in the finished proposal: `nil` when none does.
  package static func firstNoticing(
    _ callSite: String, of encoding: EncodingID, in scenarios: [LitmusScenario]
  ) -> LitmusScenario? {
    let complete = LitmusConfiguration(encoding)
    var forgotten = Selection()
    forgotten.without = [callSite]
    // Stories that speak of the call site are the likeliest to notice.
    let likely = scenarios.filter { $0.configurations.contains { $0.without.contains(callSite) } }
    return (likely + scenarios).first { scenario in
      guard scenario.configurations.contains(complete), let kernel = scenario.kernels.last else { return false }
      return !run(scenario, complete, kernel, forgotten).isEmpty
        && run(scenario, complete, kernel, Selection()).isEmpty
    }
  }
}
