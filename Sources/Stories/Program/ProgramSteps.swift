// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// The steps of a story as calls of C functions (`ProgramHelper` has them), or the first that user space cannot take.
struct ProgramSteps {
  struct Step {
    /// As the story has it.
    let text: String
    /// Who takes it: a process of the story, or the one that gives the turns.
    let actor: String?
    let code: [String]
    let effect: Effect
  }

  /// What the one that gives the turns has to wait for.
  enum Effect: Equatable {
    case none
    /// A process came into being.
    case begins(String)
    case ends
  }

  let trail: [LitmusTrail.Step]
  private(set) var steps: [Step] = []
  private(set) var processes: [String] = []
  private(set) var helpers: Set<ProgramHelper> = []
  private(set) var needs = StoryProgram.Needs()
  /// References that a pipe holds, the oldest first.
  private var references: [LitmusEntryRange] = []

  init(steps: [LitmusTrail.Step]) { trail = steps }

  mutating func add(_ index: Int) throws(StoryProgram.Obstacle) {
    let step = trail[index]
    let (actor, code) = try call(step.operation, at: index)
    steps.append(
      Step(text: step.statement.text, actor: actor, code: code, effect: Self.effect(of: step.operation)))
  }

  private static func effect(of operation: LitmusOperation) -> Effect {
    switch operation {
    case .process(let process): .begins(process.name)
    case .fork(_, let child, _): .begins(child.name)
    case .exit: .ends
    default: .none
    }
  }

  private func refusal(_ index: Int, _ why: String? = nil) -> StoryProgram.Obstacle {
    let statement = trail[index].statement
    return StoryProgram.Obstacle(
      line: statement.line, what: statement.text + (why.map { ": \($0)" } ?? ""))
  }

  private mutating func use(_ helpers: ProgramHelper...) { self.helpers.formUnion(helpers) }

  private mutating func number(_ process: LitmusProcess) {
    if !processes.contains(process.name) { processes.append(process.name) }
  }

  // — step by step

  private mutating func call(
    _ operation: LitmusOperation, at index: Int
  ) throws(StoryProgram.Obstacle) -> (actor: String?, code: [String]) {
    let failed = trail[index].failed
    switch operation {
    case .process(let process):
      number(process)
      return (nil, ["begin(\(process.name));"])
    case .fork(let parent, let child, .none) where !failed:
      number(child)
      return (parent.name, ["begin(\(child.name));"])
    case .exit(let process): return (process.name, ["_exit(0);"])
    case .vma(let range, let vma) where !failed: return (range.process.name, try map(range, vma, index))
    case .read(let range):
      use(failed ? .refused : .load)
      return (range.process.name, ["\(failed ? "refused_load" : "load")(\(span(range)), 1);"])
    case .write(let range, let write): return (range.process.name, try store(range, write, index))
    case .forceWrite(let range):
      use(.forceStore)
      let call = "force_store(\(range.process.name), \(span(range)))"
      return (nil, ["check(\(call) == \(failed ? -1 : 0), \"/proc/PID/mem\");"])
    case .pin(let range, let pin) where !pin.force && !failed && isOver(index):
      use(.directIO)
      return (range.process.name, ["direct_\(pin.writes ? "read" : "write")(\(span(range)));"])
    // The call that pinned is over.
    case .unpin(let range) where !failed: return (range.process.name, [])
    case .getReference(let range) where range.pages.count == 1 && !failed:
      use(.reference)
      references.append(range)
      return (range.process.name, ["take_reference(\(range.pages.lowerBound));"])
    case .putReference(let range) where references.first == range:
      references.removeFirst()
      return (range.process.name, ["drop_reference();"])
    // Whether the swapcache still has the page is not the program's to say.
    case .swapOut(let range, let writeout) where writeout != .underWriteback:
      return (range.process.name, try swapOut(range, index))
    case .munmap, .mprotect, .mremap, .mlock, .madvise: return try layout(operation, index)
    default: throw refusal(index)
    }
  }

  /// Nothing happens while a pin is held.
  private func isOver(_ index: Int) -> Bool {
    guard index + 1 < trail.count else { return true }
    if case .unpin = trail[index + 1].operation { return true }
    return false
  }

  // — what is mapped

  private mutating func map(
    _ range: LitmusEntryRange, _ vma: LitmusVMA, _ index: Int
  ) throws(StoryProgram.Obstacle) -> [String] {
    if vma.softDirty || vma.shadowStack { throw refusal(index) }
    var code: [String]
    switch vma.backing {
    case .anonymous:
      use(.map)
      code = ["map(\(span(range)), \(vma.protection.c), -1);"]
    case .privateFile:
      use(.map, .file)
      code = ["map(\(span(range)), \(vma.protection.c), file(\(range.pages.upperBound + 1)));"]
    case .shared, .hugetlb, .hugetlbFile, .gigantic, .loader, .unknown: throw refusal(index)
    }
    if vma.dontFork || vma.wipeOnFork { use(.advise) }
    if vma.dontFork { code.append(advice(range, "MADV_DONTFORK")) }
    if vma.wipeOnFork { code.append(advice(range, "MADV_WIPEONFORK")) }
    if vma.locked { code.append("ok(mlock2(\(place(range)), MLOCK_ONFAULT));") }
    return code
  }

  private mutating func store(
    _ range: LitmusEntryRange, _ write: LitmusWrite, _ index: Int
  ) throws(StoryProgram.Obstacle) -> [String] {
    if trail[index].failed {
      use(.refused)
      return ["refused_store(\(span(range)), \(write.stride));"]
    }
    use(.store)
    let value = write.data == "zeros" ? 0 : steps.count % 255 + 1
    let store = "store(\(span(range)), \(write.stride), \(value));"
    guard write.order > .base, let filled = filled(range, index) else { return [store] }
    let order = Int(write.order.rawValue)
    if needs.order != 0, needs.order != order { throw refusal(index, "beside folios of order \(needs.order)") }
    needs.order = order
    // A split gives pages of nothing but zeros away to the zero page.
    let fill = "store(\(filled.lowerBound), \(filled.count), 1, \(value));"
    return try large(range, index, write.data == "zeros" || range.pages == filled ? [store] : [store, fill])
  }

  /// The pages that are there afterwards, and were not.
  private func filled(_ range: LitmusEntryRange, _ index: Int) -> ClosedRange<Int>? {
    let name = range.process.name
    let new = trail[index].states.keys.filter { place in
      place.process == name && trail[index - 1].states[place]?.today.isNone ?? true
    }
    .map(\.page)
    guard let first = new.min(), let last = new.max() else { return nil }
    return first...last
  }

  /// In a VMA that asks for large folios meanwhile: the whole of it, or it would be split.
  private mutating func large(
    _ range: LitmusEntryRange, _ index: Int, _ code: [String]
  ) throws(StoryProgram.Obstacle) -> [String] {
    let areas = trail[index - 1].areas[range.process.name] ?? []
    guard let area = areas.first(where: { $0.contains(range.pages.lowerBound) }) else { throw refusal(index) }
    let whole = LitmusEntryRange(process: range.process, pages: area.lowerBound...area.upperBound - 1)
    use(.advise)
    return [advice(whole, "MADV_HUGEPAGE")] + code + [advice(whole, "MADV_NOHUGEPAGE")]
  }

  /// `MADV_PAGEOUT` leaves alone what others map; of a large folio it takes the part that it is told.
  private mutating func swapOut(
    _ range: LitmusEntryRange, _ index: Int
  ) throws(StoryProgram.Obstacle) -> [String] {
    if trail[index].failed { throw refusal(index) }
    let name = range.process.name
    for page in range.pages where trail[index - 1].states[LitmusTrail.Place(name, page)]?.isSharedFolio == true {
      throw refusal(index, "others map the folio too")
    }
    // The whole folio goes.
    let gone = trail[index].states.filter { $0.key.process == name && $0.value.today.isSwap }.map(\.key.page)
      .filter { trail[index - 1].states[LitmusTrail.Place(name, $0)]?.today.isSwap == false }
    guard let first = gone.min(), let last = gone.max(), last - first + 1 == gone.count else { throw refusal(index) }
    use(.swapOut)
    needs.swap = true
    return ["swap_out(\(first), \(last - first + 1));"]
  }

  private mutating func layout(
    _ operation: LitmusOperation, _ index: Int
  ) throws(StoryProgram.Obstacle) -> (actor: String?, code: [String]) {
    let outcome = trail[index].failed ? "fails" : "ok"
    switch operation {
    case .munmap(let range): return (range.process.name, ["ok(munmap(\(place(range))));"])
    case .mprotect(let range, let protection):
      return (range.process.name, ["ok(mprotect(\(place(range)), \(protection.c)));"])
    // The story's VMA is locked; what is not there stays away.
    case .mlock(let range): return (range.process.name, ["ok(mlock2(\(place(range)), MLOCK_ONFAULT));"])
    case .mremap(let range, let destination, _):
      if trail[index].failed { throw refusal(index) }
      use(.move)
      return (range.process.name, ["move(\(span(range)), \(destination));"])
    case .madvise(let range, let advice):
      guard let name = advice.c else { throw refusal(index) }
      use(.advise)
      let call = outcome == "ok" ? self.advice(range, name) : "fails(madvise(\(place(range)), \(name)));"
      switch advice {
      case .collapse: return (range.process.name, try large(range, index, [call]))
      case .pageOut: return (range.process.name, try swapOut(range, index))
      default: return (range.process.name, [call])
      }
    default: throw refusal(index)
    }
  }

  // — words

  /// First page and number of pages.
  private func span(_ range: LitmusEntryRange) -> String { "\(range.pages.lowerBound), \(range.pages.count)" }

  /// Address and length.
  private func place(_ range: LitmusEntryRange) -> String {
    "at(\(range.pages.lowerBound)), pages(\(range.pages.count))"
  }

  private func advice(_ range: LitmusEntryRange, _ name: String) -> String { "advise(\(span(range)), \(name));" }
}

extension LitmusProtection {
  fileprivate var c: String {
    switch self {
    case .none: "PROT_NONE"
    case .readOnly: "PROT_READ"
    case .readWrite: "PROT_READ | PROT_WRITE"
    case .readExecute: "PROT_READ | PROT_EXEC"
    case .readWriteExecute: "PROT_READ | PROT_WRITE | PROT_EXEC"
    }
  }
}

extension Advice {
  /// `nil` where no story gives it, or the result shows too late to wait for.
  fileprivate var c: String? {
    switch self {
    case .dontNeed: "MADV_DONTNEED"
    case .free: "MADV_FREE"
    case .dontFork: "MADV_DONTFORK"
    case .doFork: "MADV_DOFORK"
    case .wipeOnFork: "MADV_WIPEONFORK"
    case .keepOnFork: "MADV_KEEPONFORK"
    case .collapse: "MADV_COLLAPSE"
    case .populateRead: "MADV_POPULATE_READ"
    case .populateWrite: "MADV_POPULATE_WRITE"
    case .cold: "MADV_COLD"
    case .pageOut: "MADV_PAGEOUT"
    case .willNeed: "MADV_WILLNEED"
    case .guardInstall: "MADV_GUARD_INSTALL"
    case .guardRemove: "MADV_GUARD_REMOVE"
    case .remove, .mergeable, .unmergeable, .hugePage, .noHugePage, .populate: nil
    }
  }
}
