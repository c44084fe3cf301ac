// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// `MLOCK_ONFAULT`, and `MCL_ONFAULT`: nothing is filled now.
private let (mlockOnFault, mclOnFault): (UInt64, UInt64) = (1, 4)

/// `MCL_CURRENT`
private let mclCurrent: UInt64 = 1

/// Pages that come without a fault: calls fill them (`mm_populate`), or GUP does.
extension Normalizer {
  /// What a call filled is told when it returns: only then the range is known.
  mutating func tellPopulated(_ slot: Int, _ range: PageRange) {
    for var filled in tasks[slot].populated {
      if case .populated(_, let outcome) = filled.event { filled.event = .populated(range, outcome) }
      line.append(filled)
    }
  }

  /// A page appeared in the task's mm without a fault.
  mutating func filledWithoutFault(_ slot: Int, _ outcome: FaultOutcome) {
    guard let mm = tasks[slot].mm else { return }
    if let filled = filling(slot, outcome) { return line.append(filled) }
    switch tasks[slot].call?.call {
    case .mmap, .brk, .mremap:
      let filled = record(mm, .populated(PageRange(start: VirtualPage(0), count: 0), outcome))
      tasks[slot].populated.append(filled)
    default: appeared(mm, outcome)
    }
  }

  /// The event of a page that the task's call filled, if the range is known.
  @inline(__always)
  func filling(_ slot: Int, _ outcome: FaultOutcome) -> MMEventRecord? {
    guard let mm = tasks[slot].mm else { return nil }
    if let pin = tasks[slot].pin { return pin.mm == mm ? record(mm, .populated(pin.range, outcome)) : nil }
    guard let window = tasks[slot].call else { return nil }
    switch window.call {
    case .mmap, .brk, .mremap: return window.placed.map { record(mm, .populated($0, outcome)) }
    case .mlock, .mlock2, .madvise:
      return record(mm, .populated(pages(window.arguments[0], window.arguments[1]), outcome))
    case .read, .write, .pread64, .pwrite64:
      guard window.pins, let transfer = MemoryTransfer(window.call, window.arguments) else { return nil }
      return record(mm, .populated(pages(transfer.start, transfer.length), outcome))
    case .mlockall:
      return record(mm, .populated(everything, outcome))
    default: return nil
    }
  }

  /// No counter tells that a folio was mapped (`KernelFacts.batchesCounters`): inside a call that fills pages, one that
  /// was not given back by the time the task goes on has been.
  mutating func strayFilled(_ slot: Int) {
    guard batchesCounters, tasks[slot].strayOwner == nil, let folio = tasks[slot].strayFolio else { return }
    if let pin = tasks[slot].pin, pin.mm == tasks[slot].mm { return strayFilled(slot, folio) }
    guard let window = tasks[slot].call else { return }
    switch window.call {
    case .mmap, .mlock, .mlock2, .mlockall, .brk, .mremap: break
    case .madvise:
      switch Advice(madvise: window.arguments[2]) {
      case .populateRead, .populateWrite: break
      default: return
      }
    default: return
    }
    strayFilled(slot, folio)
  }

  /// The folio that the task allocated outside of faults is mapped now.
  mutating func strayFilled(_ slot: Int, _ folio: StrayFolio) {
    tasks[slot].strayFolio = nil
    filledWithoutFault(
      slot,
      folio.zeroed || folio.order != .base
        ? .anonymous(folio.pfn, folio.order, replaced: false) : .copiedFromFile(folio.pfn, wasMapped: false))
  }

  private mutating func appeared(_ mm: MMID, _ outcome: FaultOutcome) {
    switch outcome {
    case .anonymous(let pfn, let order, _): emit(mm, .appeared(pfn, order))
    case .copied(let pfn, _), .copiedFromFile(let pfn, _): emit(mm, .appeared(pfn, .base))
    case .quiet, .file, .swappedIn, .raced, .refused, .pooled, .surplus, .unexplained, .lost: break
    }
  }

  private var everything: PageRange { PageRange(start: VirtualPage(0), end: VirtualPage(.max >> pageShift)) }

  /// What an `mlock` that came back with success has filled; `mlockall` is told no failure of its filling.
  func locked(_ window: SyscallWindow) -> PageRange? {
    let arguments = window.arguments
    switch window.call {
    case .mlock: return pages(arguments[0], arguments[1])
    case .mlock2: return arguments[2] & mlockOnFault == 0 ? pages(arguments[0], arguments[1]) : nil
    case .mlockall: return arguments[0] & (mclCurrent | mclOnFault) == mclCurrent ? everything : nil
    default: return nil
    }
  }
}
