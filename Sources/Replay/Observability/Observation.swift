// SPDX-License-Identifier: GPL-2.0-only

/// What a capture lets say of a verdict, a cost or a rule of one encoding.
package enum Observation<Value: Sendable & Equatable>: Sendable, Equatable {
  case evaluated(Value)
  /// Events that would tell more exactly do not exist: it lies between the two.
  case bounded(Value, Value)
  case notObservable(Obstacle)
}

/// Why something cannot be observed in a capture.
package enum Obstacle: String, Sendable, CaseIterable {
  case pinsUnseen
  case dirtyDataUnseen
  case stableWritesUnseen
  /// C-raw reads the entries of the unmodified kernel.
  case noWorldOfItsOwn
  case allocationsNeverFail
  case nothingJudged

  /// For people, in one line.
  package var sentence: String {
    switch self {
    case .pinsUnseen: "no event shows FOLL_PIN in this capture"
    case .dirtyDataUnseen:
      "pages were, or may have been, reclaimed or freed lazily, and no event shows which held unsaved data"
    case .stableWritesUnseen:
      "pages were, or may have been, swapped out, and nothing shows whether the device needs stable pages"
    case .noWorldOfItsOwn: "read off the entries of the unmodified kernel, which never takes the other path"
    case .allocationsNeverFail: "a replay makes no allocation fail"
    case .nothingJudged: "no entry was judged"
    }
  }
}
