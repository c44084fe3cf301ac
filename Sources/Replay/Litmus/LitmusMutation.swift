// SPDX-License-Identifier: GPL-2.0-only

/// Something taken out of the model or of a proposal, which some story has to notice.
package enum LitmusMutation: Sendable {
  /// A call site of an encoding, forgotten.
  case callSite(String, EncodingID)
  /// A path of the kernel that does nothing.
  case path(KernelPath)

  package var name: String {
    switch self {
    case .callSite(let name, let encoding): "\(encoding.rawValue) without \(name)"
    case .path(let path): "no \(path.rawValue)"
    }
  }

  /// Every call site of every encoding, then every path.
  package static var all: [LitmusMutation] {
    EncodingRegistry.all.filter { $0.id != .baseline }.flatMap { encoding in
      LitmusSwitches.names(of: encoding.id).map { .callSite($0, encoding.id) }
    } + KernelPath.allCases.map { .path($0) }
  }
}

extension LitmusRunner {
  /// The first story that does not hold with the mutation although it holds without, and the configuration that shows
  /// it; `nil`: a survivor.
  package static func firstNoticing(_ mutation: LitmusMutation, in scenarios: [LitmusScenario]) -> String? {
    switch mutation {
    case .callSite(let name, let encoding):
      forgetting(name, encoding, scenarios) ?? rememberingAgain(name, encoding, scenarios)
    case .path(let path): skipping(path, scenarios)
    }
  }

  /// Off in the proposal that is done fully.
  private static func forgetting(
    _ callSite: String, _ encoding: EncodingID, _ scenarios: [LitmusScenario]
  ) -> String? {
    let complete = LitmusConfiguration(encoding)
    var forgotten = Selection()
    forgotten.without = [callSite]
    // Stories that speak of the call site are the likeliest to notice.
    let likely = scenarios.filter { $0.configurations.contains { $0.without.contains(callSite) } }
    for scenario in likely + scenarios {
      guard scenario.configurations.contains(complete), let kernel = scenario.kernels.last else { continue }
      guard !run(scenario, complete, kernel, forgotten).isEmpty,
        run(scenario, complete, kernel, Selection()).isEmpty
      else { continue }
      return "\(scenario.id) \(encoding.rawValue)"
    }
    return nil
  }

  /// A site that another one covers up shows only where both are off: there it is switched on.
  private static func rememberingAgain(
    _ callSite: String, _ encoding: EncodingID, _ scenarios: [LitmusScenario]
  ) -> String? {
    var remembered = Selection()
    remembered.restoring = [callSite]
    for scenario in scenarios {
      for configuration in scenario.configurations
      where configuration.encoding == encoding && configuration.without.contains(callSite)
        && configuration.without.count > 1
      {
        guard let kernel = scenario.kernels.last else { continue }
        guard !run(scenario, configuration, kernel, remembered).isEmpty,
          run(scenario, configuration, kernel, Selection()).isEmpty
        else { continue }
        return "\(scenario.id) \(configuration.description), with it on again"
      }
    }
    return nil
  }

  /// The baseline's states are what a path makes of them.
  private static func skipping(_ path: KernelPath, _ scenarios: [LitmusScenario]) -> String? {
    var without = Selection()
    without.skipped = path
    for scenario in scenarios {
      for kernel in scenario.kernels.reversed()
      where !run(scenario, nil, kernel, without).isEmpty && run(scenario, nil, kernel, Selection()).isEmpty {
        return "\(scenario.id) baseline, on \(kernel.name)"
      }
    }
    return nil
  }
}
