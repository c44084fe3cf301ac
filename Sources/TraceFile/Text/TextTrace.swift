// SPDX-License-Identifier: GPL-2.0-only

/// Records out of ftrace text: the files `trace` and `trace_pipe` in any of their formats, and what `trace-cmd report`
/// (also with -R or -l) and `perf script` print.
///
/// Lines come in the order of the file. Hashed pointers are kept as numbers: good for telling objects apart, not for
/// arithmetic. Whatever is not read is in the account.
struct TextTrace {
  private let region: ByteRegion
  private let survey: TextSurvey
  private var offset = 0
  /// Where the payloads of the batch being filled go.
  private var arena = PayloadArena(capacity: arenaSize)
  private var pendingLoss: [UInt16: Int32] = [:]
  private var time: UInt64 = 0
  private var nextGap = 0
  private(set) var lost: [UInt16: LostRecords] = [:]
  private(set) var account = TextAccount()
  /// A line longer than this is no ftrace line.
  private static let maximumLine = 1 << 16
  private static let arenaSize = 1 << 20

  static let firstID: UInt16 = 1000
  static let formats = CanonicalEvent.all.enumerated().map { $0.element.format(id: firstID + UInt16($0.offset)) }
  private static let positions = Dictionary(
    CanonicalEvent.all.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { first, _ in first })

  init(_ region: ByteRegion, _ survey: TextSurvey) { (self.region, self.survey) = (region, survey) }

  /// Whether the beginning of the file has the head of an ftrace line in it, or what stands above the first.
  static func isText(_ region: ByteRegion) -> Bool {
    let limit = min(region.count, 1 << 18)
    var offset = 0
    while offset < limit {
      let (line, next) = Self.line(region, at: offset)
      if line.firstIndex(of: 0, from: 0, within: maximumLine) != nil { return false }
      if ["# tracer:", "cpus=", "version ="].contains(where: { line.hasPrefix($0) }) || TextHeader(line) != nil
        || GraphLine(line) != nil
      {
        return true
      }
      if line.count > maximumLine { return false }
      offset = next
    }
    return false
  }

  mutating func fill(_ batch: inout RecordBatch) {
    if !isKnownUniquelyReferenced(&arena) { arena = PayloadArena(capacity: Self.arenaSize) }
    arena.removeAll()
    batch.retired.append(arena)
    markGaps(before: 0, in: &batch)
    while batch.room > 0, offset < region.count, arena.room > 2 * Self.maximumLine {
      let (line, next) = Self.line(region, at: offset)
      offset = next
      account.begin()
      if let record = record(line) {
        account.noteRead()
        unsafe withUnsafePointer(to: record) { pointer in
          _ = unsafe batch.append(UnsafeBufferPointer(start: pointer, count: 1), upTo: .max)
        }
      }
      markGaps(before: offset, in: &batch)
    }
  }

  /// A CPU's records are missing behind its last line before a note of loss.
  private mutating func markGaps(before end: Int, in batch: inout RecordBatch) {
    while nextGap < survey.gaps.count, survey.gaps[nextGap].offset < end {
      batch.markLoss(on: survey.gaps[nextGap].cpu, of: 0)
      nextGap += 1
    }
  }

  /// A line, without its end: LF, or CR and LF.
  static func line(_ region: ByteRegion, at offset: Int) -> (TextLine, next: Int) {
    let rest = unsafe TextLine(region.bytes(offset..<region.count))
    let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.count
    let isCut = end > 0 && rest[end - 1] == UInt8(ascii: "\r")
    return (rest[0..<(isCut ? end - 1 : end)], offset + end + 1)
  }

  private mutating func record(_ line: TextLine) -> RawRecord? {
    guard let header = TextHeader(line) else {
      note(OtherLine(line))
      return nil
    }
    let event = TextEvent(line[header.event])
    if let loss = event.perfLoss {
      noteLoss(loss, cpu: header.cpu)
      account.ignore(.lossNote)
      return nil
    }
    guard line.count <= Self.maximumLine else {
      refuse(event.name, .tooLong)
      return nil
    }
    if header.time < time {
      account.backwards += 1
      noteLoss(-1, cpu: header.cpu)
    }
    time = header.time
    switch encode(event, header) {
    case .failure(let obstacle):
      switch obstacle {
      case .ignored(let what): account.ignore(what)
      case .refused(let name, let reason): refuse(name, reason)
      }
      return nil
    case .success(()):
      let payload = unsafe arena.end()
      let loss = pendingLoss.removeValue(forKey: header.cpu) ?? 0
      return unsafe RawRecord(
        timestamp: header.time, payload: payload.start, length: UInt32(payload.count), lostBefore: loss,
        cpu: header.cpu, buffer: 0, swapsBytes: false)
    }
  }

  private mutating func note(_ line: OtherLine) {
    switch line {
    case .ignored(let what): account.ignore(what)
    case .overwritten(let records, let what):
      account.overwritten &+= records
      account.ignore(what)
    case .lost(let cpu, let loss):
      noteLoss(loss, cpu: cpu)
      account.ignore(.lossNote)
    case .headless(let names):
      guard let name = names.first(where: { Self.positions[$0].map { CanonicalEvent.all[$0].matters } ?? false })
      else { return account.ignore(names.first.map { .event($0) } ?? .unrecognised) }
      account.refuse(name, .noHead)
    case .unrecognised(let names):
      guard let name = names.first(where: { Self.positions[$0].map { CanonicalEvent.all[$0].matters } ?? false })
      else { return account.ignore(.unrecognised) }
      account.refuse(name, .noHead)
    }
  }

  /// Only an event that matters is refused; any other is none of ours, readable or not.
  private mutating func refuse(_ name: String, _ reason: TextAccount.Reason) {
    let matters = Self.positions[name].map { CanonicalEvent.all[$0].matters } ?? RawSystemCall.isName(name)
    if matters { account.refuse(name, reason) } else { account.ignore(.event(name)) }
  }

  private mutating func noteLoss(_ loss: Int32, cpu: UInt16) {
    lost[cpu, default: LostRecords()].note(loss)
    let before = pendingLoss[cpu] ?? 0
    let (sum, overflow) = before.addingReportingOverflow(loss)
    pendingLoss[cpu] = before < 0 || loss < 0 || overflow ? -1 : sum
  }

  // — payloads

  private enum Obstacle: Error {
    case ignored(TextAccount.Ignored)
    case refused(String, TextAccount.Reason)
  }

  private func encode(_ event: TextEvent, _ header: TextHeader) -> Result<Void, Obstacle> {
    if RawSystemCall.isName(event.name), event.system == nil || event.system == "raw_syscalls" {
      return encodeRaw(event, header)
    }
    guard let position = Self.positions[event.name] else {
      return .failure(.ignored(event.name.isEmpty ? .unrecognised : event.isFunction ? .function : .event(event.name)))
    }
    let canonical = CanonicalEvent.all[position]
    guard event.system == nil || event.system == canonical.system else {
      return .failure(.ignored(.event(event.fullName)))
    }
    begin(position, header)
    let fields = TextFields(canonical, event.body)
    if let reason = fields.append(to: arena) { return .failure(.refused(event.name, reason)) }
    return .success(())
  }

  /// A call that is traced by name as well would count twice.
  private func encodeRaw(_ event: TextEvent, _ header: TextHeader) -> Result<Void, Obstacle> {
    guard !survey.namesCalls else { return .failure(.ignored(.event(event.name))) }
    guard let raw = RawSystemCall(event.body) else { return .failure(.refused(event.name, .missing(field: "NR"))) }
    guard survey.isX86 else { return .failure(.refused(event.name, .unknownMachine)) }
    guard let call = SystemCall.byNumber[raw.number],
      let position = Self.positions[(raw.arguments == nil ? "sys_exit_" : "sys_enter_") + call.name]
    else { return .failure(.ignored(.event(event.name))) }
    begin(position, header)
    if let arguments = raw.arguments {
      guard arguments.count >= call.arguments.count else {
        return .failure(.refused(event.name, .missing(field: call.arguments[arguments.count])))
      }
      for value in arguments.prefix(call.arguments.count) { arena.append(value) }
    } else {
      guard let result = raw.result else { return .failure(.refused(event.name, .badValue(field: "ret"))) }
      arena.append(result)
    }
    return .success(())
  }

  private func begin(_ position: Int, _ header: TextHeader) {
    arena.begin()
    arena.append(UInt64(Self.firstID + UInt16(position)) | UInt64(UInt32(bitPattern: header.pid)) << 32)
  }
}
