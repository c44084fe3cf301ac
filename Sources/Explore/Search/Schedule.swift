// SPDX-License-Identifier: GPL-2.0-only

/// One order of steps, as a reader of the kernel follows it: who does what, what changes, who sees what.
package struct Schedule: Sendable {
  package struct Line: Sendable, Equatable {
    package var actor: String
    /// The step's name in the model; `nil` for the small steps between.
    package var step: String?
    package var what: String
    /// `pte[0]: present page 1 w -> none`
    package var changes: [String]
    /// `pte[0] is none`
    package var sees: [String]
  }

  package private(set) var lines: [Line] = []
  package let reason: String
  /// Shared variables in the last state, those that are not 0.
  package private(set) var final: [String] = []
  private let model: Model

  init(model: Model, reason: String) {
    self.model = model
    self.reason = reason
  }

  mutating func add(_ taken: Transitions.Taken, name: String) {
    // What a decision is about is told as a question: the answer stands in what it sees.
    let question = taken.step.text.hasPrefix("if ") ? "?" : ""
    var line = Line(
      actor: name, step: taken.step.label, what: (taken.step.narration ?? taken.step.text) + question, changes: [],
      sees: [])
    for variable in model.layout.variables where variable.actor == nil {
      for slot in variable.base..<(variable.base + variable.count) {
        let (old, new) = (model.layout.value(slot, in: taken.before), model.layout.value(slot, in: taken.after))
        guard old != new else { continue }
        line.changes.append("\(model.layout.name(of: slot)): \(variable.type.text(old)) -> \(variable.type.text(new))")
      }
    }
    var read: [Int] = []
    taken.step.forEachAccess { place, isWrite in
      if !isWrite, let slot = place.slot, !read.contains(slot) { read.append(slot) }
    }
    for slot in read {
      guard let variable = model.layout.variable(of: slot), variable.actor == nil else { continue }
      let value = model.layout.value(slot, in: taken.before)
      guard value == model.layout.value(slot, in: taken.after) else { continue }
      line.sees.append("\(model.layout.name(of: slot)) is \(variable.type.text(value))")
    }
    lines.append(line)
  }

  mutating func finish(in state: [UInt64]) {
    for variable in model.layout.variables where variable.actor == nil {
      for slot in variable.base..<(variable.base + variable.count) {
        let value = model.layout.value(slot, in: state)
        if value != 0 { final.append("\(model.layout.name(of: slot)) = \(variable.type.text(value))") }
      }
    }
  }

  /// Steps that change or read something others know of.
  package var telling: [Line] { lines.filter { !$0.changes.isEmpty || !$0.sees.isEmpty } }

  package var text: String {
    let shown = telling
    let width = shown.map(\.actor.count).max() ?? 0
    let labels = shown.map { $0.step?.count ?? 0 }.max() ?? 0
    var text = ""
    for (index, line) in shown.enumerated() {
      let number = String(index + 1)
      text += String(repeating: " ", count: max(0, 3 - number.count)) + number + "  "
      text += line.actor.padded(width) + "  " + (line.step ?? "").padded(labels) + "  " + line.what
      let notes = line.changes + line.sees
      if !notes.isEmpty {
        text += "\n" + String(repeating: " ", count: 5 + width + 2 + labels + 2) + notes.joined(separator: "; ")
      }
      text += "\n"
    }
    return text + "     " + reason + "\n"
  }
}

extension String {
  func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
