// SPDX-License-Identifier: GPL-2.0-only

/// Actors that hold no lock while it matters leave program order where the memory model lets them.
///
/// The steps of such an actor form a partial order, kept by: accesses to the same location (one of them a write, or
/// two reads of it), registers (data, address, and control towards writes), fences, acquire and release. Under TSO only
/// a plain store may be overtaken, by a later load of another location. Stores become visible to all others at once
/// (multi-copy atomic, as x86 and ARMv8). Not modelled: a load that is served from the actor's own store buffer while
/// the store is not visible yet.
extension ModelBuilder {
  /// An item while it is collected.
  private struct Draft {
    var step: Step
    var conditions: [StepValue]
    var path: [StepValue]
    var part = Part.whole
    var accesses = Accesses()

    /// Taking a lock is a read with acquire and a store. Nobody comes between the two, so the first takes the lock and
    /// the second only keeps its place in the order: smp_wmb before it orders earlier stores with the store alone,
    /// acquire orders later steps with the read alone, and together they are no full barrier.
    enum Part {
      case whole
      case lockRead
      case lockWrite(Step)
    }
  }

  /// A barrier orders what stands before it with what stands after it on the same way through the program.
  private struct Fence {
    var barrier: Barrier
    var position: Int
    var path: [StepValue]
  }

  private struct Accesses {
    var reads: Set<Int> = []
    var writes: Set<Int> = []
    var registersRead: Set<Int> = []
    var registersWritten: Set<Int> = []
  }

  mutating func relaxedProgram(of actor: ProcedureSyntax, _ scope: Scope) throws(ModelError) -> RelaxedProgram {
    var drafts: [Draft] = []
    var fences: [Fence] = []
    var ended: [[StepValue]] = []
    var scope = scope
    try flatten(actor.body, &scope, path: [], &drafts, &fences, &ended)
    guard drafts.count <= 16 else { throw actor.line.error("more than 16 steps in an actor that is relaxed") }
    for index in drafts.indices {
      switch drafts[index].part {
      case .whole: drafts[index].accesses = accesses(of: drafts[index].step)
      case .lockRead:
        drafts[index].accesses = accesses(of: drafts[index].step)
        drafts[index].accesses.writes = []
      case .lockWrite(let step):
        drafts[index].accesses = accesses(of: step)
        drafts[index].accesses.reads = []
      }
    }
    var items: [RelaxedProgram.Item] = []
    for (index, draft) in drafts.enumerated() {
      var after: UInt64 = 0
      var known: UInt64 = 0
      let conditionRegisters = registers(in: draft.conditions)
      for earlier in 0..<index {
        let other = drafts[earlier]
        let bit = UInt64(1) << UInt64(earlier)
        if !other.accesses.registersWritten.isDisjoint(with: conditionRegisters) { known |= bit }
        if isOrdered(earlier, index, drafts, fences) { after |= bit }
      }
      // A load may be done before it is known whether it is wanted; anything else waits.
      if !draft.accesses.writes.isEmpty || draft.step.lock != nil || draft.step.order != .plain || hasAssertion(draft) {
        after |= known
      }
      items.append(RelaxedProgram.Item(step: draft.step, conditions: draft.conditions, after: after, known: known))
    }
    return RelaxedProgram(items: items)
  }

  // — program order as a list

  private mutating func flatten(
    _ body: [StatementSyntax], _ scope: inout Scope, path: [StepValue],
    _ drafts: inout [Draft], _ fences: inout [Fence], _ ended: inout [[StepValue]]
  ) throws(ModelError) {
    for statement in body {
      if isDropped(statement, scope) {
        if case .when(_, _, let no) = statement.kind {
          try flatten(no, &scope, path: path, &drafts, &fences, &ended)
        }
        continue
      }
      let conditions = path + ended.map { way in StepValue.negation(Self.conjunction(way)) }
      switch statement.kind {
      case .mark: break
      case .register(let name, let type, nil): try declareRegister(name, type, &scope, statement.line)
      case .lock:
        let step = try simpleStep(statement, scope)
        drafts.append(Draft(step: step, conditions: conditions, path: path, part: .lockRead))
        drafts.append(Draft(step: Self.lockStore(of: step), conditions: conditions, path: path, part: .lockWrite(step)))
      case .assign, .unlock, .assert, .atomic:
        drafts.append(Draft(step: try simpleStep(statement, scope), conditions: conditions, path: path))
      case .barrier(let barrier): fences.append(Fence(barrier: barrier, position: drafts.count, path: path))
      case .when(let condition, let yes, let no):
        let value = try resolve(condition, scope, statement.line).value
        if let known = value.constant {
          try flatten(known != 0 ? yes : no, &scope, path: path, &drafts, &fences, &ended)
          continue
        }
        guard !readsShared(value) else {
          throw statement.line.error("a relaxed actor reads into a register before it decides")
        }
        try flatten(yes, &scope, path: path + [value], &drafts, &fences, &ended)
        try flatten(no, &scope, path: path + [.negation(value)], &drafts, &fences, &ended)
      case .call(let name, let arguments):
        let (called, names) = try unfolded(name, arguments, scope, statement.line)
        var inner = names
        try flatten(called, &inner, path: path, &drafts, &fences, &ended)
      case .done: ended.append(path)
      case .register, .wait, .tryLock, .repeated, .choose, .goto:
        throw statement.line.error("this cannot stand in a relaxed actor")
      }
    }
  }

  private static func lockStore(of lock: Step) -> Step {
    var store = lock
    store.guardCondition = nil
    store.effects = []
    store.lock = nil
    store.label = nil
    store.narration = "the store that took the lock is seen"
    store.order = .plain
    return store
  }

  private static func conjunction(_ values: [StepValue]) -> StepValue {
    values.reduce(.constant(1)) { .operation(.and, $0, $1) }
  }

  // — order

  private func isOrdered(_ earlier: Int, _ later: Int, _ drafts: [Draft], _ fences: [Fence]) -> Bool {
    let (a, b) = (drafts[earlier], drafts[later])
    if sharesRegister(a.accesses, b.accesses) || sharesLocation(a.accesses, b.accesses) { return true }
    if hasAssertion(a) || hasAssertion(b) { return true }
    if variant.memory == .tso { return !isOvertakenUnderTSO(a, b, earlier, later, fences) }
    if isFull(a.step.order) || isFull(b.step.order) { return true }
    if a.step.order == .acquire || b.step.order == .release { return true }
    return fences.contains { fence in
      earlier < fence.position && fence.position <= later && b.path.starts(with: fence.path)
        && orders(fence.barrier, a.accesses, b.accesses)
    }
  }

  private func isFull(_ order: AccessOrder) -> Bool { order == .readModifyWrite }

  /// Only store to load, and only where neither is a locked instruction and no smp_mb stands between.
  private func isOvertakenUnderTSO(
    _ a: Draft, _ b: Draft, _ earlier: Int, _ later: Int, _ fences: [Fence]
  ) -> Bool {
    let isStore = a.accesses.reads.isEmpty && !a.accesses.writes.isEmpty
    let isLoad = b.accesses.writes.isEmpty && !b.accesses.reads.isEmpty
    let isLocked = [a.step, b.step].contains { step in
      switch step.order {
      case .readModifyWrite, .relaxedReadModifyWrite: true
      // Taking a lock is a locked instruction, giving it back is a store.
      case .acquire: step.lock != nil
      case .plain, .release: false
      }
    }
    let isFenced = fences.contains {
      $0.barrier == .full && earlier < $0.position && $0.position <= later && b.path.starts(with: $0.path)
    }
    return isStore && isLoad && !isLocked && !isFenced
  }

  private func orders(_ barrier: Barrier, _ a: Accesses, _ b: Accesses) -> Bool {
    switch barrier {
    case .full: true
    case .read: !a.reads.isEmpty && !b.reads.isEmpty
    case .write: !a.writes.isEmpty && !b.writes.isEmpty
    }
  }

  private func sharesRegister(_ a: Accesses, _ b: Accesses) -> Bool {
    !a.registersWritten.isDisjoint(with: b.registersRead) || !a.registersRead.isDisjoint(with: b.registersWritten)
      || !a.registersWritten.isDisjoint(with: b.registersWritten)
  }

  private func sharesLocation(_ a: Accesses, _ b: Accesses) -> Bool {
    !a.reads.union(a.writes).isDisjoint(with: b.reads.union(b.writes))
  }

  private func hasAssertion(_ draft: Draft) -> Bool {
    draft.step.effects.contains { if case .assert = $0 { true } else { false } }
  }

  private func accesses(of step: Step) -> Accesses {
    var accesses = Accesses()
    step.forEachAccess { place, isWrite in
      let isRegister = layout.variable(of: place.base)?.actor != nil
      for slot in place.slots {
        switch (isRegister, isWrite) {
        case (true, true): accesses.registersWritten.insert(slot)
        case (true, false): accesses.registersRead.insert(slot)
        case (false, true): accesses.writes.insert(slot)
        case (false, false): accesses.reads.insert(slot)
        }
      }
    }
    return accesses
  }

  private func registers(in values: [StepValue]) -> Set<Int> {
    var all: Set<Int> = []
    for value in values {
      value.forEachPlace { place in
        if layout.variable(of: place.base)?.actor != nil { all.formUnion(place.slots) }
      }
    }
    return all
  }
}
