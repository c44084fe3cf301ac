// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Steps: `P writes 0` (a process does something) or `swapout P 0` (the kernel does).
extension LitmusParser {
  mutating func parseOperation(_ line: inout LitmusLine) throws(LitmusError) -> LitmusOperation {
    let word = try line.takeWord("a step")
    if processes.contains(String(word.spelling)) {
      let act = try parseAct(of: LitmusProcess(name: String(word.spelling)), &line)
      if case .exit(let process) = act { ended.insert(process.name) }
      return act
    }
    if let operation = try parseFork(word, &line) { return operation }
    if let operation = try parseMemoryOperation(word, &line) { return operation }
    if let operation = try parseConcurrentOperation(word, &line) { return operation }
    throw line.error(at: word, "'\(word.spelling)' is neither a process nor a step")
  }

  private func pages(of process: LitmusProcess, _ line: inout LitmusLine) throws(LitmusError) -> LitmusEntryRange {
    LitmusEntryRange(process: process, pages: try parsePages(&line))
  }

  /// `P VERB ...`
  private func parseAct(of process: LitmusProcess, _ line: inout LitmusLine) throws(LitmusError) -> LitmusOperation {
    let verb = try line.takeWord("what \(process.name) does")
    switch verb.spelling {
    case "reads": return .read(try pages(of: process, &line))
    case "writes": return try parseWrite(process, &line)
    case "force-faults": return .forceFault(try pages(of: process, &line))
    case "force-writes": return .forceWrite(try pages(of: process, &line))
    case "uprobe": return .uprobeWrite(try pages(of: process, &line))
    case "pins": return try parsePin(process, &line)
    case "unpins": return .unpin(try pages(of: process, &line))
    case "exits": return .exit(process)
    case "munmap": return .munmap(try pages(of: process, &line))
    case "mlock": return .mlock(try pages(of: process, &line))
    case "mprotect":
      let range = try pages(of: process, &line)
      return .mprotect(range, try parseProtection(&line))
    case "mremap":
      let range = try pages(of: process, &line)
      try line.takeMark("->")
      let destination = try parsePage(&line)
      return .mremap(range, to: destination, try parseMove(&line))
    case "madvise":
      let word = try line.takeWord("an advice")
      guard let advice = Self.advice(word.spelling) else {
        throw line.error(at: word, "unknown advice '\(word.spelling)'")
      }
      return .madvise(try pages(of: process, &line), advice)
    case "uffd-wp":
      let range = try pages(of: process, &line)
      return .userfaultWriteProtect(range, unpopulated: line.takeWord(ifNext: "unpopulated"))
    case "uffd-poison": return .userfaultPoison(try pages(of: process, &line))
    case "uffd-resolve": return .userfaultResolve(try pages(of: process, &line))
    case "uffd-copy":
      let range = try pages(of: process, &line)
      return .userfaultCopy(range, writeProtected: line.takeWord(ifNext: "wp"))
    case "uffd-move":
      let range = try pages(of: process, &line)
      try line.takeMark("->")
      return .userfaultMove(range, to: try parsePage(&line))
    case "clear-refs": return .clearSoftDirty(process)
    case "pagemap-scan-wp": return .pagemapScanWriteProtect(try pages(of: process, &line))
    default: throw line.error(at: verb, "unknown verb '\(verb.spelling)'")
    }
  }

  // P writes RANGE [order N] [as F] [data NAME] [every N]
  private func parseWrite(_ process: LitmusProcess, _ line: inout LitmusLine) throws(LitmusError) -> LitmusOperation {
    let range = try pages(of: process, &line)
    var write = LitmusWrite()
    while !line.atEnd {
      if line.takeWord(ifNext: "order") {
        write.order = try parseOrder(&line)
      } else if line.takeWord(ifNext: "as") {
        write.folio = try parseFolioName(&line)
      } else if line.takeWord(ifNext: "data") {
        write.data = String(try line.takeWord("a name for the data").spelling)
      } else if line.takeWord(ifNext: "every") {
        write.stride = try parseNumber(&line, "a number of pages")
        guard write.stride > 0 else { throw line.error("a stride is at least 1") }
      } else {
        throw line.error("expected 'order', 'as', 'data' or 'every'")
      }
    }
    return .write(range, write)
  }

  // P pins RANGE read|write [fast] [force]
  private func parsePin(_ process: LitmusProcess, _ line: inout LitmusLine) throws(LitmusError) -> LitmusOperation {
    let range = try pages(of: process, &line)
    var pin = LitmusPin()
    if line.takeWord(ifNext: "write") {
      pin.writes = true
    } else if !line.takeWord(ifNext: "read") {
      throw line.error("expected 'read' or 'write'")
    }
    if line.takeWord(ifNext: "fast") { pin.fast = true }
    if line.takeWord(ifNext: "force") { pin.force = true }
    return .pin(range, pin)
  }

  private func parseOrder(_ line: inout LitmusLine) throws(LitmusError) -> FolioOrder {
    guard let word = line.peek else { throw line.error("expected an order") }
    let order = try parseNumber(&line, "an order")
    // THP_ORDERS_ALL_ANON, and small pages; a PUD maps no anonymous THP.
    guard order == 0 || (2...9).contains(order) else {
      throw line.error(at: word, "no anonymous folio has order \(order): 0, or 2 to 9, where a PMD maps it")
    }
    return FolioOrder(UInt8(order))
  }

  private func parseProtection(_ line: inout LitmusLine) throws(LitmusError) -> LitmusProtection {
    let word = try line.takeWord("a protection")
    guard let found = LitmusProtection(rawValue: String(word.spelling)) else {
      let known = LitmusProtection.allCases.map(\.rawValue).joined(separator: ", ")
      throw line.error(at: word, "unknown protection '\(word.spelling)'; known: \(known)")
    }
    return found
  }

  private func parseMove(_ line: inout LitmusLine) throws(LitmusError) -> LitmusMove {
    let word = try line.takeWord("how the entries move: ptes, table or pmd")
    guard let move = LitmusMove(rawValue: String(word.spelling)) else {
      throw line.error(at: word, "expected ptes, table or pmd, found '\(word.spelling)'")
    }
    return move
  }

  static func advice(_ text: Substring) -> Advice? {
    switch text {
    case "dontneed": .dontNeed
    case "free": .free
    case "dontfork": .dontFork
    case "dofork": .doFork
    case "wipeonfork": .wipeOnFork
    case "keeponfork": .keepOnFork
    case "mergeable": .mergeable
    case "unmergeable": .unmergeable
    case "populate-read": .populateRead
    case "populate-write": .populateWrite
    case "cold": .cold
    case "pageout": .pageOut
    case "willneed": .willNeed
    case "guard-install": .guardInstall
    case "guard-remove": .guardRemove
    case "collapse": .collapse
    default: nil
    }
  }

  // fork P -> Q [fails before PAGE]; fork-begin P -> Q; fork-copy P RANGE; fork-end P; fork-abort P
  private mutating func parseFork(
    _ word: LitmusToken, _ line: inout LitmusLine
  ) throws(LitmusError) -> LitmusOperation? {
    switch word.spelling {
    case "process": return .process(try parseNewProcess(&line))
    case "vma": return try parseVMA(&line)
    case "fork", "fork-begin":
      let parent = try parseProcess(&line)
      try line.takeMark("->")
      let child = try parseNewProcess(&line)
      if word.spelling == "fork-begin" {
        forking[parent.name] = child.name
        return .forkBegin(parent, child: child)
      }
      guard line.takeWord(ifNext: "fails") else { return .fork(parent, child: child, .none) }
      guard line.takeWord(ifNext: "before") else { throw line.error("expected 'before'") }
      ended.insert(child.name)
      return .fork(parent, child: child, .before(try parsePage(&line)))
    case "fork-copy": return .forkCopy(try parseSite(&line))
    case "fork-end": return .forkEnd(try parseProcess(&line))
    case "fork-abort":
      let parent = try parseProcess(&line)
      if let child = forking.removeValue(forKey: parent.name) { ended.insert(child) }
      return .forkAbort(parent)
    default: return nil
    }
  }

  // vma P RANGE [ro|rw|rx|rwx|none] [file|hugetlb|shared] [dontfork] [wipeonfork] [locked] [soft-dirty] [shadow-stack]
  private func parseVMA(_ line: inout LitmusLine) throws(LitmusError) -> LitmusOperation {
    let range = try parseSite(&line)
    var vma = LitmusVMA()
    while let word = line.peek {
      switch word.spelling {
      case "dontfork": vma.dontFork = true
      case "wipeonfork": vma.wipeOnFork = true
      case "soft-dirty": vma.softDirty = true
      case "locked": vma.locked = true
      case "shadow-stack": vma.shadowStack = true
      case "file": vma.backing = .privateFile
      case "hugetlb": vma.backing = .hugetlb
      case "shared": vma.backing = .shared
      default:
        guard let protection = LitmusProtection(rawValue: String(word.spelling)) else {
          throw line.error("unknown property '\(word.spelling)' of a vma")
        }
        vma.protection = protection
      }
      _ = line.takeToken()
    }
    return .vma(range, vma)
  }

  /// What the kernel does to memory on its own account.
  private func parseMemoryOperation(
    _ word: LitmusToken, _ line: inout LitmusLine
  ) throws(LitmusError) -> LitmusOperation? {
    switch word.spelling {
    case "get-ref": return .getReference(try parseSite(&line))
    case "put-ref": return .putReference(try parseSite(&line))
    case "swapout":
      let site = try parseSite(&line)
      var writeout = LitmusWriteout.done
      if let word = line.peek {
        guard let found = LitmusWriteout(rawValue: String(word.spelling)) else {
          throw line.error("expected 'in-cache' or 'under-writeback'")
        }
        writeout = found
        _ = line.takeToken()
      }
      return .swapOut(site, writeout)
    case "unmap-to-swap": return .unmapToSwap(try parseSite(&line))
    case "reclaim": return .reclaim(try parseSite(&line))
    case "writeback-end": return .writebackEnd(try parseSite(&line))
    case "swapoff": return .swapoff
    case "migrate": return .migrate(try parseSite(&line))
    case "migration-set":
      let site = try parseSite(&line)
      return .migrationSet(site, everywhere: !line.takeWord(ifNext: "only"))
    case "restore": return .migrationRestore(try parseSite(&line))
    case "split-pmd": return .splitPMD(try parseSite(&line))
    case "split-folio":
      let site = try parseSite(&line)
      return .splitFolio(site, unusedToZeroPage: line.takeWord(ifNext: "underused"))
    case "collapse":
      let site = try parseSite(&line)
      guard line.takeWord(ifNext: "order") else { throw line.error("expected 'order'") }
      guard let word = line.peek else { throw line.error("expected an order") }
      let order = try parseOrder(&line)
      guard order > .base else { throw line.error(at: word, "nothing collapses to order 0") }
      return .collapse(site, order)
    case "numa-scan": return .numaScan(try parseSite(&line))
    case "mglru-age": return .ageMGLRU(try parseSite(&line))
    case "device-insert": return .deviceInsert(try parseSite(&line))
    case "to-device-private": return .toDevicePrivate(try parseSite(&line))
    case "make-device-exclusive": return .makeDeviceExclusive(try parseSite(&line))
    case "memory-failure": return .memoryFailure(try parseSite(&line))
    case "contpte-fold": return .contpteFold(try parseSite(&line))
    default: return try parseKSM(word, &line)
    }
  }

  // ksm-merge P 0 with P 1; ksm-replace P 0 with P 1; ksm-wrprotect P 0; ksm-zero P 0; ksm-prepare P 0
  private func parseKSM(_ word: LitmusToken, _ line: inout LitmusLine) throws(LitmusError) -> LitmusOperation? {
    switch word.spelling {
    case "ksm-merge", "ksm-replace":
      let first = try parseSite(&line)
      guard line.takeWord(ifNext: "with") else { throw line.error("expected 'with'") }
      let second = try parseSite(&line)
      return word.spelling == "ksm-merge" ? .ksmMerge(first, second) : .ksmReplace(first, with: second)
    case "ksm-wrprotect": return .ksmWriteProtect(try parseSite(&line))
    case "ksm-zero": return .ksmZero(try parseSite(&line))
    case "ksm-prepare": return .ksmPrepare(try parseSite(&line))
    default: return nil
    }
  }

  /// Half-steps of another CPU, and failures to come.
  private func parseConcurrentOperation(
    _ word: LitmusToken, _ line: inout LitmusLine
  ) throws(LitmusError) -> LitmusOperation? {
    switch word.spelling {
    case "fail-bitmap-alloc":
      guard line.takeWord(ifNext: "after") else { throw line.error("expected 'after'") }
      return .failBitmapAllocation(after: try parseNumber(&line, "a number of allocations"))
    case "tlb-fill":
      let cpu = try parseCPU(&line)
      return .tlbFill(cpu, try parseSite(&line))
    case "tlb-store":
      let cpu = try parseCPU(&line)
      return .tlbStore(cpu, try parseSite(&line))
    case "tlb-flush": return .tlbFlush
    case "gup-fast-read":
      let cpu = try parseCPU(&line)
      return .gupFastRead(cpu, try parseSite(&line))
    case "gup-fast-begin":
      let cpu = try parseCPU(&line)
      return .gupFastBegin(cpu, try parseSite(&line))
    case "gup-fast-end": return .gupFastEnd(try parseCPU(&line))
    case "reuse-check": return .reuseCheck(try parseSite(&line))
    case "reuse-commit": return .reuseCommit(try parseSite(&line))
    case "rcu-grace-period": return .rcuGracePeriod
    default: return nil
    }
  }
}
