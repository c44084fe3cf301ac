// SPDX-License-Identifier: GPL-2.0-only

import Foundation

/// The bundled examples, found from this source file.
enum LitmusFixtures {
  static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("fixtures/litmus").path
}
