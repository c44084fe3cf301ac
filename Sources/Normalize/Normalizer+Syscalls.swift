// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import TraceFile

/// `SHM_RDONLY`
private let shmReadOnly: UInt64 = 0o10000

/// `MREMAP_FIXED`
let mremapFixed: UInt64 = 2

/// `MREMAP_DONTUNMAP`
private let mremapDontUnmap: UInt64 = 4

extension SyscallWindow {
  /// `mmap` takes the place of what is there.
  fileprivate var isFixedMap: Bool { call == .mmap && MapFlags(arguments[3]).isFixed }

  /// `mremap` to fewer pages, whose end goes before the rest moves.
  fileprivate var cutsOff: Bool { call == .mremap && arguments[2] < arguments[1] }

  /// It takes a range away, which a counter or a flush shows before its return, and that was not told yet.
  fileprivate var removalMayShow: Bool {
    switch call {
    case .munmap, .madvise: !isApplied
    case .mmap: isFixedMap && !isApplied
    case .mremap: cutsOff && !isCutOff
    default: false
    }
  }
}

extension Advice {
  /// The entries go at once.
  fileprivate var removes: Bool { [.dontNeed, .guardInstall, .remove].contains(self) }
}

/// userfaultfd's ioctl numbers: the type byte `UFFDIO`, then the request.
private enum UserfaultRequest {
  static let type: UInt64 = 0xaa
  static let writeProtect: UInt64 = 0x06
  static let api: UInt64 = 0x3f
}

/// Calls that change a layout or entries (`mmap` to `madvise`), fill pages, or pin them. Their effect is told at the
/// best evidence: the write to the tree of VMAs, the first counter or flush of a removal, else the return.
extension Normalizer {
  mutating func enter(_ call: KnownSyscall, _ record: RawRecord) -> Bool {
    guard let slot = tasks.slot(of: task), let fields = table.layouts.arguments[call] else { return true }
    closeFault(slot)
    endCall(slot)
    forgetExited(slot)
    tasks[slot].isFollowed = true
    var arguments = [6 of UInt64](repeating: 0)
    for (index, field) in fields.prefix(6).enumerated() {
      guard let value = field.load(record) else { return false }
      arguments[index] = value
    }
    tasks[slot].strayFolio = nil
    tasks[slot].call = SyscallWindow(call: call, arguments: arguments)
    if let range = removal(call, arguments) {
      tasks[slot].call?.removes = true
      emit(tasks[slot].mm, .removalBegan(range))
    }
    enterFileCall(slot)
    if let kind = unfollowed(call, arguments) { emit(tasks[slot].mm, .unfollowed(kind, nil)) }
    return true
  }

  mutating func exit(_ call: KnownSyscall, _ record: RawRecord) -> Bool {
    guard let result = table.layouts.result.loadSigned(record) else { return false }
    guard let slot = tasks.slot(of: task) else { return true }
    closeFault(slot)
    strayFilled(slot)
    // A child comes out of its parent's `clone`; an attached task out of a call whose entry was not seen.
    guard let window = tasks[slot].call, window.call == call else { return true }
    let failed = result < 0 && result >= -4095
    if let mm = tasks[slot].mm {
      if failed {
        appliedInPart(window, mm, error: -result)
      } else {
        applied(window, slot, mm, result: UInt64(bitPattern: result))
      }
    }
    if call.clones { abortFork(slot) }
    tasks[slot].exec = nil
    endCall(slot)
    return true
  }

  /// The call is over, however it ended.
  mutating func endCall(_ slot: Int) {
    losePin(slot)
    strayWent(slot)
    replacementStands(slot)
    tasks[slot].lockedForeign = nil
    tasks[slot].lockedForWrite = nil
    guard let window = tasks[slot].call else { return }
    tasks[slot].call = nil
    tasks[slot].strayFolio = nil
    tasks[slot].populated.removeAll()
    if window.removes { emit(tasks[slot].mm, .removalEnded) }
    if window.pins { emit(tasks[slot].mm, .directIOEnded) }
  }

  /// What a call that came back with success did to the layout.
  private mutating func applied(_ window: SyscallWindow, _ slot: Int, _ mm: MMID, result: UInt64) {
    let arguments = window.arguments
    switch window.call {
    case .mmap:
      let flags = MapFlags(arguments[3])
      var range = target(of: window, at: result)
      if let placed = window.placed, placed.start == range.start { range = placed }
      if window.isFixedMap, !window.isApplied { emit(mm, .unmapped(range)) }
      emit(mm, .vmaMapped(range, flags.backing(pageShift: pageShift), Self.protection(arguments[2])))
      tellPopulated(slot, range)
      if flags.fillsUnseen { emit(mm, .advised(range, .populate)) }
    case .munmap:
      if !window.isApplied { emit(mm, .unmapped(pages(arguments[0], arguments[1]))) }
    case .mremap:
      let (old, oldLength, newLength) = (arguments[0], arguments[1], arguments[2])
      // What was at the destination goes first; its VMA's range may reach into the holes around it.
      let target = pages(result, newLength)
      func isDestination(_ range: PageRange) -> Bool { result != old && range.overlaps(target) }
      for range in window.unmapped where isDestination(range) { emit(mm, .unmapped(range)) }
      if result != old {
        emit(
          mm,
          .moved(
            source: pages(old, min(oldLength, newLength)), destination: page(result),
            keepsSource: arguments[3] & mremapDontUnmap != 0))
      }
      for range in window.unmapped where !isDestination(range) { emit(mm, .unmapped(range)) }
      if newLength > oldLength {
        tellPopulated(slot, PageRange(start: pages(result, oldLength).end, end: target.end))
      }
      if window.cutsOff, !window.isCutOff { emit(mm, .unmapped(cutOff(by: window))) }
    case .mprotect, .pkeyMprotect:
      emit(mm, .protected(pages(arguments[0], arguments[1]), Self.protection(arguments[2])))
    case .madvise: if let advice = Advice(madvise: arguments[2]) { advised(window, mm, advice) }
    case .open, .openat, .dup, .dup2, .dup3, .fcntl: opened(window, mm, descriptor: result)
    case .mlock, .mlock2, .mlockall: if let range = locked(window) { emit(mm, .advised(range, .populate)) }
    case .read, .write, .pread64, .close, .brk, .processMadvise, .clone, .clone3, .fork, .vfork, .execve, .execveat,
      .exitGroup, .ioctl, .ioUringRegister, .vmsplice, .processVMReadv, .processVMWritev, .ptrace, .pwrite64,
      .movePages, .migratePages, .mbind, .userfaultfd, .shmat, .shmdt, .remapFilePages:
      break
    }
  }

  /// The VMA tree changed inside a call other than `clone` and `execve`: the moment the layout changes, under the
  /// mmap lock.
  mutating func layoutChanged(_ slot: Int, _ mm: MMID, _ range: PageRange, isMapped: Bool) {
    guard let window = tasks[slot].call, mm == tasks[slot].mm else {
      if !isMapped { emit(mm, .unmapped(range)) }
      return
    }
    noteChanged(slot, window, range, isMapped: isMapped)
    switch (window.call, isMapped) {
    case (.mremap, false): unmappedInMremap(slot, mm, range, window)
    case (_, false):
      tasks[slot].call?.isApplied = true
      emit(mm, .unmapped(range))
    case (.brk, true):
      tasks[slot].call?.placed = range
      emit(mm, .vmaMapped(range, .anonymous, [.read, .write]))
    case (.shmat, true):
      emit(mm, .vmaMapped(range, .shared, window.arguments[2] & shmReadOnly != 0 ? .read : [.read, .write]))
    case (.remapFilePages, true): emit(mm, .vmaMapped(range, .shared, .unknown))
    case (.mmap, true):
      let target = target(of: window, at: window.arguments[0])
      if !window.isFixedMap, window.placed == nil, isPlaced(range, window, count: target.count) {
        tasks[slot].call?.placed = range
        emit(
          mm,
          .vmaMapped(
            range, MapFlags(window.arguments[3]).backing(pageShift: pageShift), Self.protection(window.arguments[2])))
        break
      }
      guard window.isFixedMap, !window.isApplied, range.overlaps(target) else { break }
      tasks[slot].call?.isApplied = true
      emit(mm, .unmapped(target))
    case (_, true): break
    }
  }

  /// The range that `mmap` was asked for; `address` is where, if not what the argument says.
  @inline(__always)
  private func target(of mmap: SyscallWindow, at address: UInt64) -> PageRange {
    pages(address, MapFlags(mmap.arguments[3]).length(mmap.arguments[1], pageShift: pageShift))
  }

  /// The VMA did not merge with a neighbour. A file of hugetlbfs is mapped in whole huge pages: what merged with another
  /// part of a file, and looks so, is alike in all that is told of it.
  private func isPlaced(_ vma: PageRange, _ mmap: SyscallWindow, count: Int) -> Bool {
    if vma.count == count { return true }
    let inHugePage = FolioOrder(9).pageCount - 1
    return MapFlags(mmap.arguments[3]).backing(pageShift: pageShift) == .privateFile
      && (vma.start.rawValue | vma.end.rawValue) & UInt64(inHugePage) == 0
      && vma.count == (count + inHugePage) & ~inHugePage
  }

  /// What `mremap` cuts off, and what is at a fixed destination, goes before anything moves; the source's VMA goes
  /// after it. The range may reach into the holes around, and for the source what was cut off is one.
  private mutating func unmappedInMremap(_ slot: Int, _ mm: MMID, _ range: PageRange, _ window: SyscallWindow) {
    let (old, oldLength, newLength) = (window.arguments[0], window.arguments[1], window.arguments[2])
    let isSource = range.overlaps(pages(old, min(oldLength, newLength)))
    let isCutOff = window.cutsOff && range.overlaps(cutOff(by: window))
    let isDestination =
      window.arguments[3] & mremapFixed != 0 && range.overlaps(pages(window.arguments[4], newLength))
    guard !isSource, isCutOff || isDestination else {
      tasks[slot].call?.unmapped.append(range)
      return
    }
    if isCutOff { tasks[slot].call?.isCutOff = true }
    emit(mm, .unmapped(range))
  }

  @inline(__always)
  private func cutOff(by mremap: SyscallWindow) -> PageRange {
    let (old, oldLength, newLength) = (mremap.arguments[0], mremap.arguments[1], mremap.arguments[2])
    return pages(old &+ newLength, oldLength - newLength)
  }

  /// A removal inside a call shows (counter or flush): entries are gone from here on, not only at the return.
  @inline(__always)
  mutating func removalShown(_ slot: Int) {
    // Asked on every flush and counter: the window is not copied for nothing.
    if tasks[slot].call?.removalMayShow == true { removed(slot) }
  }

  @inline(never)
  private mutating func removed(_ slot: Int) {
    guard let window = tasks[slot].call, let mm = tasks[slot].mm else { return }
    let range = pages(window.arguments[0], window.arguments[1])
    switch window.call {
    // Where a VMA only becomes shorter, the tree does not say that the rest goes.
    case .munmap: emit(mm, .unmapped(range))
    case .mmap: emit(mm, .unmapped(target(of: window, at: window.arguments[0])))
    case .mremap:
      tasks[slot].call?.isCutOff = true
      emit(mm, .unmapped(cutOff(by: window)))
      return
    default:
      guard let advice = Advice(madvise: window.arguments[2]), advice.removes else { return }
      emit(mm, .advised(range, advice))
    }
    tasks[slot].call?.isApplied = true
  }

  /// Where entries may go away while the call runs.
  @inline(__always)
  private func removal(_ call: KnownSyscall, _ arguments: [6 of UInt64]) -> PageRange? {
    switch call {
    case .munmap, .mremap: pages(arguments[0], arguments[1])
    case .mmap where MapFlags(arguments[3]).isFixed:
      pages(arguments[0], MapFlags(arguments[3]).length(arguments[1], pageShift: pageShift))
    case .madvise:
      switch Advice(madvise: arguments[2]) {
      case .dontNeed, .guardInstall, .remove, .free, .pageOut: pages(arguments[0], arguments[1])
      default: nil
      }
    default: nil
    }
  }

  @inline(__always)
  private func unfollowed(_ call: KnownSyscall, _ arguments: [6 of UInt64]) -> Unfollowed? {
    switch call {
    case .ioUringRegister: table.showsPins ? nil : .pin
    // A pipe's references are no pins.
    case .vmsplice: .pin
    // Otherwise the lock names the mm.
    case .processVMReadv, .processVMWritev: table.showsLocks ? nil : .remoteAccess
    case .ptrace: !table.showsLocks && RemoteWrite(call, arguments) != nil ? .remoteAccess : nil
    case .movePages, .migratePages, .mbind: .migration
    case .ioctl: Self.userfaultRequest(arguments[1])
    default: nil
    }
  }

  /// Opening a userfaultfd changes nothing yet.
  private static func userfaultRequest(_ command: UInt64) -> Unfollowed? {
    guard (command >> 8) & 0xff == UserfaultRequest.type else { return nil }
    switch command & 0xff {
    case UserfaultRequest.api: return nil
    case UserfaultRequest.writeProtect: return .userfaultWriteProtect
    default: return .userfaultfd
    }
  }

  private static func protection(_ bits: UInt64) -> VMAProtection { VMAProtection(rawValue: UInt8(bits & 7)) }
}

extension Advice {
  /// The advice of an `madvise` number, `nil` when it does not concern the model.
  init?(madvise number: UInt64) {
    switch number {
    case 3: self = .willNeed
    case 4, 24: self = .dontNeed
    case 8: self = .free
    case 9: self = .remove
    case 10: self = .dontFork
    case 11: self = .doFork
    case 12: self = .mergeable
    case 13: self = .unmergeable
    case 14: self = .hugePage
    case 15: self = .noHugePage
    case 18: self = .wipeOnFork
    case 19: self = .keepOnFork
    case 20: self = .cold
    case 21: self = .pageOut
    case 22: self = .populateRead
    case 23: self = .populateWrite
    case 25: self = .collapse
    case 102: self = .guardInstall
    case 103: self = .guardRemove
    default: return nil
    }
  }
}
