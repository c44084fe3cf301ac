// SPDX-License-Identifier: GPL-2.0-only

/// Which steps may be taken together with the one before without hiding an order that matters (Lipton, "Reduction",
/// 1975): taking a lock commutes to the right, giving it back to the left, and what only the holder of some lock, or
/// only this actor, touches commutes both ways. At most one step of a joined sequence is none of these.
struct Movers {
  enum Kind { case both, right, left, none }

  /// By actor and position. A step that may have to wait, or a choice, is never joined to the one before.
  private(set) var kinds: [[Kind]] = []
  private(set) var canFollow: [[Bool]] = []

  private struct Access {
    var actor: Int
    var isWrite: Bool
    var exclusive: Set<Int>
    var shared: Set<Int>
  }

  private let model: Model
  private var accesses: [Int: [Access]] = [:]
  /// Slots of locks that somebody looks at without waiting for them.
  private var observed: Set<Int> = []
  private var visible: Set<Int> = []

  init(_ model: Model) {
    self.model = model
    let held = model.actors.map(Self.heldLocks)
    for check in model.checks where check.moment == .always {
      check.condition.forEachPlace { visible.formUnion($0.slots) }
    }
    for (index, actor) in model.actors.enumerated() {
      for (position, choices) in actor.steps.enumerated() {
        for step in choices { note(step, actor: index, held[index][position]) }
      }
      for item in actor.relaxed?.items ?? [] { note(item.step, actor: index, Held()) }
    }
    for (index, actor) in model.actors.enumerated() {
      kinds.append(actor.steps.map { kind($0, actor: index) })
      canFollow.append(actor.steps.map { $0.count == 1 && $0[0].guardCondition == nil })
    }
  }

  // — locks held at each position, on every way to it

  struct Held: Equatable {
    var exclusive: Set<Int> = []
    var shared: Set<Int> = []
  }

  private static func heldLocks(_ actor: ActorProgram) -> [Held] {
    var held = [Held?](repeating: nil, count: actor.steps.count)
    guard !held.isEmpty else { return [] }
    held[0] = Held()
    var pending = [0]
    while let position = pending.popLast() {
      for step in actor.steps[position] {
        let after = change(held[position] ?? Held(), by: step)
        step.next.forEachTarget { target in
          guard let target else { return }
          var merged = after
          if let known = held[target] {
            merged.exclusive.formIntersection(known.exclusive)
            merged.shared.formIntersection(known.shared)
          }
          guard merged != held[target] else { return }
          held[target] = merged
          pending.append(target)
        }
      }
    }
    return held.map { $0 ?? Held() }
  }

  private static func change(_ held: Held, by step: Step) -> Held {
    guard let lock = step.lock else { return held }
    var held = held
    if lock.isTaken, lock.slots.count == 1 {
      switch lock.mode {
      case .exclusive: held.exclusive.formUnion(lock.slots)
      case .shared: held.shared.formUnion(lock.slots)
      }
    } else if !lock.isTaken {
      held.exclusive.subtract(lock.slots)
      held.shared.subtract(lock.slots)
    }
    return held
  }

  // — accesses

  private mutating func note(_ step: Step, actor: Int, _ held: Held) {
    let own = step.lock.map { Set($0.slots) } ?? []
    if let lock = step.lock, lock.isAttempt { observed.formUnion(lock.slots) }
    var looked: Set<Int> = []
    for effect in step.effects {
      effect.forEachAccess { place, isWrite in if !isWrite { looked.formUnion(place.slots) } }
    }
    step.next.forEachPlace { looked.formUnion($0.slots) }
    // A busy attempt looks by its guard; so does anything that waits, but waiting sees a lock only when it is free.
    if step.lock == nil, case .load? = step.guardCondition {
      step.guardCondition?.forEachPlace { looked.formUnion($0.slots) }
    }
    for slot in looked.subtracting(own) where isLock(slot) { observed.insert(slot) }
    step.forEachAccess { place, isWrite in
      for slot in place.slots where !own.contains(slot) {
        accesses[slot, default: []].append(
          Access(actor: actor, isWrite: isWrite, exclusive: held.exclusive, shared: held.shared))
      }
    }
  }

  private func isLock(_ slot: Int) -> Bool {
    switch model.layout.variable(of: slot)?.type {
    case .lock, .readWriteLock: true
    default: false
    }
  }

  // — kinds

  private func kind(_ choices: [Step], actor: Int) -> Kind {
    guard choices.count == 1 else { return .none }
    let step = choices[0]
    if let lock = step.lock {
      guard lock.slots.count == 1, observed.isDisjoint(with: lock.slots), visible.isDisjoint(with: lock.slots) else {
        return .none
      }
      return lock.isTaken ? .right : .left
    }
    var commutes = true
    step.forEachAccess { place, isWrite in
      for slot in place.slots where !commutesEverywhere(slot, actor: actor, isWrite: isWrite) { commutes = false }
    }
    return commutes ? .both : .none
  }

  private func commutesEverywhere(_ slot: Int, actor: Int, isWrite: Bool) -> Bool {
    if isWrite, visible.contains(slot) { return false }
    let all = accesses[slot] ?? []
    let others = all.filter { $0.actor != actor }
    if !others.contains(where: { $0.isWrite || isWrite }) { return true }
    guard let first = all.first else { return true }
    var candidates = first.exclusive.union(first.shared)
    for access in all {
      candidates.formIntersection(access.isWrite ? access.exclusive : access.exclusive.union(access.shared))
    }
    return !candidates.isEmpty
  }
}
