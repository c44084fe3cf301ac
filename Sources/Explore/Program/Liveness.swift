// SPDX-License-Identifier: GPL-2.0-only

extension ActorProgram {
  /// Registers that nobody will read again are set to 0 by the step that makes them so: states that differ in nothing
  /// else are one.
  mutating func clearDeadRegisters(_ layout: StateLayout) {
    guard relaxed == nil, !steps.isEmpty else { return }
    let registers = Set(slots.dropFirst())
    guard !registers.isEmpty else { return }
    let liveIn = liveRegisters(registers)
    for position in steps.indices {
      for index in steps[position].indices {
        let step = steps[position][index]
        var liveOut: Set<Int> = []
        step.next.forEachTarget { target in if let target { liveOut.formUnion(liveIn[target]) } }
        // What decides where the step goes on is read after its effects.
        var deciding: Set<Int> = []
        step.next.forEachPlace { deciding.formUnion($0.slots) }
        let written = Self.registersWritten(step).intersection(registers)
        let dead = liveIn[position].union(written).subtracting(liveOut).subtracting(deciding)
        for slot in dead.sorted() {
          steps[position][index].effects.append(.assign(StatePlace(base: slot, count: 1), .constant(0)))
        }
      }
    }
  }

  private func liveRegisters(_ registers: Set<Int>) -> [Set<Int>] {
    var live = [Set<Int>](repeating: [], count: steps.count)
    var isChanged = true
    while isChanged {
      isChanged = false
      for position in steps.indices.reversed() {
        var all: Set<Int> = []
        for step in steps[position] {
          var out: Set<Int> = []
          step.next.forEachTarget { target in if let target { out.formUnion(live[target]) } }
          step.next.forEachPlace { out.formUnion(registers.intersection($0.slots)) }
          var read: Set<Int> = []
          step.guardCondition?.forEachPlace { read.formUnion($0.slots) }
          for effect in step.effects {
            effect.forEachAccess { place, isWrite in if !isWrite { read.formUnion(place.slots) } }
          }
          all.formUnion(out.subtracting(Self.registersOverwritten(step)))
          all.formUnion(registers.intersection(read))
        }
        if all != live[position] {
          live[position] = all
          isChanged = true
        }
      }
    }
    return live
  }

  private static func registersWritten(_ step: Step) -> Set<Int> {
    var written: Set<Int> = []
    for effect in step.effects {
      effect.forEachAccess { place, isWrite in if isWrite { written.formUnion(place.slots) } }
    }
    return written
  }

  /// Written whatever happens, and wholly.
  private static func registersOverwritten(_ step: Step) -> Set<Int> {
    var written: Set<Int> = []
    for case .assign(let place, _) in step.effects where place.bits == nil {
      if let slot = place.slot { written.insert(slot) }
    }
    return written
  }
}

extension Model {
  /// The first step of every actor is where it waits; without any step it has finished.
  mutating func placeActorsAtTheirStart() {
    for index in actors.indices {
      actors[index].clearDeadRegisters(layout)
      guard actors[index].relaxed == nil, actors[index].steps.isEmpty else { continue }
      layout.set(actors[index].position, to: 0, in: &initial)
    }
  }
}
