// SPDX-License-Identifier: GPL-2.0-only

package import Replay

/// A story as a C program that does the same to its own memory.
package struct StoryProgram: Sendable {
  /// Why no program can do it: the first step that user space cannot take, or what the machine would have to be.
  package struct Obstacle: Error, Sendable, Equatable, CustomStringConvertible {
    /// `nil`: the whole story needs it.
    package var line: Int?
    package var what: String

    package var description: String { what }
  }

  /// What the host has to be set to beforehand.
  package struct Needs: Sendable, Equatable {
    /// Folios of this order where a program asks for large ones, and none that is larger.
    package var order = 0
    package var swap = false

    package init() {}
  }

  /// Where marks are, below the address of page 0: a page a process, from this number on a page a step.
  package static let marksBelowBase: UInt64 = 0x4000_0000
  package static let marksOfProcesses = 64

  package let text: String
  package let needs: Needs
  /// The processes in the order of their numbers in the program.
  package let processes: [String]

  package init(_ scenario: LitmusScenario, _ kernel: LitmusKernel) throws(Obstacle) {
    if scenario.machine.architecture != .x86 {
      throw Obstacle(line: nil, what: "machine \(scenario.machine.architecture.rawValue)")
    }
    if scenario.machine.swapNeedsStableWrites { throw Obstacle(line: nil, what: "swap-device stable-writes") }
    let trail = LitmusTrail(scenario, LitmusConfiguration(.baseline), kernel) { _ in true }
    var writer = ProgramSteps(steps: trail.steps)
    for index in trail.steps.indices { try writer.add(index) }
    if let stop = trail.stop { throw Obstacle(line: nil, what: stop) }
    needs = writer.needs
    processes = writer.processes
    text = ProgramText(scenario, writer).text
  }
}
