// SPDX-License-Identifier: GPL-2.0-only

/// Worked examples that do not hold yet, and why. The test asks for exactly these: one that starts to hold must leave
/// the list, one that stops holding fails.
enum LitmusOpen {
  static let examples: Set<String> = [
    // A device-private entry that reads as shared while it is writable is judged I1-BREAK; the reference says LOST at
    // the `mprotect` after it.
    "B-25"
  ]
}
