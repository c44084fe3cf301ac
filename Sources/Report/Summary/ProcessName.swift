// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

extension ProcessAccount {
  /// `redis-server(4711)`, `4711` where the name is not known, `mm7` where not even the process is.
  var title: String {
    guard let task else { return "mm\(mm.rawValue)" }
    return name.map { "\($0)(\(task.rawValue))" } ?? "\(task.rawValue)"
  }
}
