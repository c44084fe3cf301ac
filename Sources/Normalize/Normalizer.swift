// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents
package import TraceFile

/// Turns the merged records of a capture into the event stream of the model.
///
/// One pass, state per thread and per address space only: what is mapped where is the model's business. Batches may be
/// of any size; the events are the same.
package struct Normalizer: ~Copyable {
  let table: EventTable
  /// log2 of the page size of the recording machine.
  let pageShift: UInt64
  let machine: Machine
  let signs: FaultSigns
  /// See `KernelFacts.batchesCounters`.
  var batchesCounters: Bool { !signs.counters }
  var tasks = TaskTable()
  var ownership = MMOwnership()
  var line = DelayLine()
  var direct = DirectDescriptors()
  /// See `KernelFacts.gupFlags`.
  let gupFlags: GUPFlagNumbers
  /// Releases of pins whose work `gup_put_folio` may be about to do, by CPU and context.
  var releases: [ReleaseContext: PinRelease] = [:]
  /// Threads of processes that were there before the recording, until their mm comes into view.
  var attachedThreads: [TaskID: [TaskID]] = [:]
  /// What is passed over.
  package internal(set) var gaps = GapCounts()
  var seen = SeenEvents()
  package private(set) var names: TaskNames

  /// Where records are missing at present.
  private var missing: [(cpu: UInt16, buffer: UInt8)] = []
  /// The record being looked at.
  var sequence = Sequence(0)
  var time: Timestamp { Timestamp(nanoseconds: line.now) }
  var cpu = CPU(0)
  var task = TaskID(0)

  package init(
    formats: EventFormats, pageSize: Int = 4096, kernel: KernelFacts = .v6_18, machine: Machine = .x86,
    absent: Set<String> = []
  ) throws(NormalizeError) {
    // Both first: what is thrown finds nothing of this made.
    let (table, names) = (try EventTable(formats, absent: absent), try TaskNames(formats))
    (self.table, self.names) = (table, names)
    self.machine = machine
    gupFlags = kernel.gupFlags
    pageShift = UInt64(pageSize.trailingZeroBitCount)
    signs = FaultSigns(
      locks: !table.showsLocks ? .none : kernel.locksVMAs ? .kernelFaults : .allFaults,
      counters: !kernel.batchesCounters, flushes: table.showsFlushes)
  }

  /// Events whose records, not formats, decide what can be concluded: those that have none are `absent`.
  package static var decisiveEvents: Set<String> { EventTable.decisive }

  /// How many address spaces came into view.
  package var addressSpaces: UInt64 { UInt64(ownership.created) }

  /// Whether the trace shows when a folio leaves a CPU's LRU-add batch.
  package var showsLRUInsertion: Bool { table.showsLRUInsertion }

  /// Normalizes one batch; events that are settled are appended.
  package mutating func consume(_ batch: borrowing RecordBatch, into events: inout [MMEventRecord]) {
    sequence = Sequence(batch.firstSequence &- 1)
    // What is missing from the beginning is told with the first record.
    if sequence == Sequence(0), batch.count > 0, batch.lossMarks.first?.position == 0 {
      line.now = batch[0].timestamp
    }
    var start = 0
    for mark in batch.lossMarks {
      unsafe consume(UnsafeBufferPointer(rebasing: batch.records[start..<mark.position]))
      start = mark.position
      lossBegins(mark)
    }
    unsafe consume(UnsafeBufferPointer(rebasing: batch.records[start...]))
    line.release(into: &events)
  }

  private mutating func consume(_ records: UnsafeBufferPointer<RawRecord>) {
    unsafe noteFrequentEvents(records)
    guard var next = records.baseAddress else { return }
    let end = unsafe next + records.count
    while unsafe next < end {
      sequence = Sequence(sequence.rawValue &+ 1)
      consume(unsafe next.pointee)
      unsafe next += 1
    }
  }

  /// The stream is over: what is still open is told as far as it got.
  package mutating func finish(into events: inout [MMEventRecord]) {
    for slot in tasks.all { closeFault(slot) }
    line.releaseAll(into: &events)
  }

  /// What nearly all records are is looked at here, and the rest is out of the way: the loop's registers do not suffice
  /// for more.
  @inline(__always)
  private mutating func consume(_ record: RawRecord) {
    line.now = record.timestamp
    cpu = CPU(record.cpu)
    if record.lostBefore != 0 { lose(record.lostBefore, record.buffer) }
    guard let event = table.event(of: record.eventID) else {
      gaps.add(.ignoredRecords)
      return
    }
    guard let pid = table.layouts.pid.load(record) else {
      gaps.add(.malformedRecords)
      return
    }
    task = TaskID(Int32(truncatingIfNeeded: pid))
    // By how many there are: a few comparisons are less than a jump through a table.
    let isRead =
      if event == .rssStat {
        rssStat(record)
      } else if event == .pageFree {
        pageFree(record)
      } else if event == .pageAlloc {
        pageAlloc(record)
      } else if event == .lruInsertion {
        lruInsertion(record)
      } else {
        dispatch(event, record)
      }
    if !isRead { gaps.add(.malformedRecords) }
  }

  /// That there are records of those events is noted here, once, and not with each of them.
  private mutating func noteFrequentEvents(_ records: UnsafeBufferPointer<RawRecord>) {
    guard !seen.hasAllFrequent else { return }
    for index in 0..<records.count {
      if let event = table.event(of: unsafe records[index].eventID), event.isFrequent { seen.insert(event) }
    }
  }

  /// `false` when a field of the record could not be read.
  @inline(never)
  private mutating func dispatch(_ event: KnownEvent, _ record: RawRecord) -> Bool {
    seen.insert(event)
    switch event {
    case .exitMmap: return exitMmap(record)
    case .setMigrationPTE, .setMigrationPMD: return setMigration(event, record)
    case .removeMigrationPTE, .removeMigrationPMD: return removeMigration(event, record)
    case .ksmMergeOne, .ksmMergeWith: return ksmMerge(event, record)
    case .collapseIsolate: return collapseIsolated(record)
    case .collapseHugePage: return collapseEnded(record)
    case .collapseScan: return collapseScanned(record)
    case .swapWrite: return swapWrite(record)
    case .syscallEnter: return table.call(of: record.eventID).map { enter($0, record) } ?? true
    case .syscallExit: return table.call(of: record.eventID).map { exit($0, record) } ?? true
    case .pinRelease: return pinReleased(record)
    case .taskRename:
      names.note(record, at: sequence)
      return true
    case .processFork:
      names.note(record, at: sequence)
      return seen.contains(.newTask) || processForked(record)
    case .newTask, .processExec: names.note(record, at: sequence)
    // Those that `consume` looks at itself.
    case .pageAlloc, .pageFree, .lruInsertion, .rssStat: return true
    case .pageFaultUser, .pageFaultKernel, .tlbFlush, .mapleTreeWrite, .mmapLockReturned, .processExit,
      .signalDeliver, .marker, .pinEnter, .pinExit:
      break
    }
    guard let slot = tasks.slot(of: task) else { return true }
    if event.closesFault {
      if event == .signalDeliver, isFaultSignal(record) { tasks[slot].fault.refused() }
      closeFault(slot)
    }
    switch event {
    case .pageFaultUser: return beginFault(slot, record, table.layouts.faultUser, kernel: false)
    case .pageFaultKernel: return beginFault(slot, record, table.layouts.faultKernel, kernel: true)
    case .tlbFlush: return tlbFlush(slot, record)
    case .mapleTreeWrite: return treeWrite(slot, record)
    case .mmapLockReturned: return lockReturned(slot, record)
    case .newTask: return newTask(slot, record)
    case .processExit: return processExit(slot)
    case .processExec: return processExec(slot)
    case .marker: return marker(slot, record)
    case .pinEnter: return pinEntered(slot, record)
    case .pinExit: return pinExited(slot, record)
    default: return true
    }
  }

  /// SIGBUS and SIGSEGV end a fault; any other signal only tells that the task goes on.
  @inline(__always)
  private func isFaultSignal(_ record: RawRecord) -> Bool {
    let signal = table.layouts.signal.load(record)
    return signal == 7 || signal == 11
  }

  /// Records of this CPU are gone: whatever was half seen is forgotten, the model is told.
  @inline(never)
  private mutating func lose(_ lost: Int32, _ buffer: UInt8) {
    forgetHalfSeen()
    emit(nil, .lost(cpu, count: lost > 0 ? UInt64(lost) : nil))
    missing.removeAll { $0.cpu == cpu.rawValue && $0.buffer == buffer }
    if missing.contains(where: { $0.cpu == cpu.rawValue }) { emit(nil, .lossBegan(cpu)) }
  }

  private mutating func lossBegins(_ mark: LossMark) {
    cpu = CPU(mark.cpu)
    forgetHalfSeen()
    emit(nil, .lossBegan(cpu))
    missing.append((mark.cpu, mark.buffer))
  }

  private mutating func forgetHalfSeen() {
    for slot in tasks.all {
      loseFault(slot)
      losePin(slot)
      tasks[slot].call = nil
      tasks[slot].lockedForWrite = nil
      tasks[slot].strayFolio = nil
      replacementStands(slot)
    }
    releases = [:]
  }

  @inline(__always)
  func page(_ address: UInt64) -> VirtualPage { VirtualPage(address >> pageShift) }

  /// The pages that bytes `start ..< start + length` touch.
  @inline(__always)
  func pages(_ start: UInt64, _ length: UInt64) -> PageRange {
    let (end, overflow) = start.addingReportingOverflow(length)
    let (rounded, carry) = end.addingReportingOverflow((1 << pageShift) - 1)
    return PageRange(start: page(start), end: page(overflow || carry ? .max : rounded))
  }

  @inline(__always)
  func record(_ mm: MMID?, _ event: MMEvent) -> MMEventRecord {
    MMEventRecord(sequence: sequence, time: time, cpu: cpu, task: task, mm: mm, event: event)
  }

  @inline(__always)
  mutating func emit(_ mm: MMID?, _ event: MMEvent) { line.append(record(mm, event)) }
}
