// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What is known of a program between `execve` and the moment its stack has a place, and of a child being copied.
struct NewProgram {
  var arguments: [PFN] = []
  /// The kernel's count of anonymous pages in a forked child so far.
  var counted: UInt64?
}
