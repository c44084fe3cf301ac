// SPDX-License-Identifier: GPL-2.0-only

import Replay
import Testing

extension Trait where Self == ConditionTrait {
  /// The test asks something of one encoding; where the registry does not have it, nothing is asked.
  static func about(_ encoding: EncodingID) -> Self {
    .enabled(if: EncodingID.allCases.contains(encoding), "about encoding \(encoding.rawValue)")
  }
}
