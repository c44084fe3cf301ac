// SPDX-License-Identifier: GPL-2.0-only

import Foundation

/// The tallies that `verify --json` prints.
struct Verification: Decodable {
  struct Tally: Decodable {
    let checked: Int
    let agree: Int
    let disagree: Int
    let unknown: Int
  }
  let decisions: Tally
  let entries: Tally
  let pages: Tally

  init(_ run: Invocation) throws {
    self = try JSONDecoder().decode(Verification.self, from: Data(run.output.utf8))
  }
}
