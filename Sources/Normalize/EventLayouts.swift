// SPDX-License-Identifier: GPL-2.0-only

import TraceFile

/// Where the fields lie that the normalizer reads.
///
/// A field that this kernel's event does not have is `Field.absent`: reading it gives `nil`, and the record is
/// counted as malformed.
struct EventLayouts {
  /// The place of a number in the payload, or none.
  ///
  /// Loaded several times per record, so what does not depend on the record is settled here, in eight bytes: a number of
  /// every size is the end of the eight bytes that end with it. Where that does not fit it goes the long way.
  struct Field {
    /// One past the number's last byte; beyond every payload when it must go the long way.
    private var end: UInt32
    private var offset: UInt16
    /// In bytes; 0 when there is no such number.
    private var size: UInt8
    private var isSigned: Bool

    static let absent = Field(layout: nil)

    init(layout: FieldLayout?) {
      guard let layout, layout.kind == .scalar, let offset = UInt16(exactly: layout.offset) else {
        (end, offset, size, isSigned) = (.max, 0, 0, false)
        return
      }
      self.offset = offset
      size = UInt8(layout.size)
      isSigned = layout.isSigned
      #if _endian(little)
        end = layout.offset + layout.size >= 8 ? layout.offset + layout.size : .max
      #else
        end = .max
      #endif
    }

    @inline(__always)
    func load(_ record: RawRecord) -> UInt64? {
      guard end <= record.length, !record.swapsBytes else { return loadSlowly(record) }
      let raw = unsafe (record.payload + (Int(end) &- 8)).loadUnaligned(as: UInt64.self)
      let shift = 64 &- UInt64(size) &* 8
      return isSigned ? UInt64(bitPattern: Int64(bitPattern: raw) &>> Int64(shift)) : raw &>> shift
    }

    @inline(__always)
    func loadSigned(_ record: RawRecord) -> Int64? { load(record).map { Int64(bitPattern: $0) } }

    @inline(never)
    private func loadSlowly(_ record: RawRecord) -> UInt64? {
      FieldLayout(
        offset: UInt32(offset), size: UInt32(size), elementSize: UInt32(size), isSigned: isSigned, kind: .scalar
      ).loadUInt64(from: record)
    }
  }

  /// The place of a text in the payload, or none.
  struct TextField {
    fileprivate var layout: FieldLayout?

    func text(_ record: RawRecord) -> String? { layout?.loadString(from: record) }
  }

  private(set) var pid = Field.absent
  private(set) var flags = Field.absent
  private(set) var faultUser = (address: Field.absent, error: Field.absent)
  private(set) var faultKernel = (address: Field.absent, error: Field.absent)
  private(set) var alloc = (pfn: Field.absent, order: Field.absent, gfp: Field.absent)
  private(set) var free = (pfn: Field.absent, order: Field.absent)
  private(set) var rss = (mm: Field.absent, current: Field.absent, member: Field.absent, size: Field.absent)
  private(set) var lru = Field.absent
  private(set) var tlb = (reason: Field.absent, pages: Field.absent)
  private(set) var tree = (first: Field.absent, last: Field.absent, value: Field.absent)
  private(set) var lock = (mm: Field.absent, write: Field.absent, success: Field.absent)
  private(set) var migration: [KnownEvent: (address: Field, entry: Field, order: Field)] = [:]
  private(set) var newTask = (pid: Field.absent, flags: Field.absent)
  private(set) var exitMM = Field.absent
  private(set) var signal = Field.absent
  private(set) var collapseFrame = (frame: Field.absent, status: Field.absent)
  private(set) var collapseDone = (mm: Field.absent, status: Field.absent)
  private(set) var ksm: [KnownEvent: (frame: Field, mm: Field, error: Field)] = [:]
  private(set) var swapFrame = Field.absent
  private(set) var marker = TextField()
  private(set) var arguments: [KnownSyscall: [Field]] = [:]
  private(set) var result = Field.absent

  mutating func add(_ event: KnownEvent, _ format: EventFormat) throws(NormalizeError) {
    addCommon(format)
    func field(_ name: String) -> Field { Field(layout: format.field(name)) }
    switch event {
    case .pageFaultUser: faultUser = (field("address"), field("error_code"))
    case .pageFaultKernel: faultKernel = (field("address"), field("error_code"))
    case .pageAlloc: alloc = (field("pfn"), field("order"), field("gfp_flags"))
    case .pageFree: free = (field("pfn"), field("order"))
    case .rssStat: rss = (field("mm_id"), field("curr"), field("member"), field("size"))
    case .lruInsertion: lru = field("pfn")
    case .tlbFlush: tlb = (field("reason"), field("pages"))
    case .mapleTreeWrite: tree = (field("index"), field("last"), field("val"))
    case .mmapLockReturned: lock = (field("mm"), field("write"), field("success"))
    case .setMigrationPTE, .removeMigrationPTE: migration[event] = (field("addr"), field("pte"), field("order"))
    case .setMigrationPMD, .removeMigrationPMD: migration[event] = (field("addr"), field("pmd"), .absent)
    case .newTask: newTask = (field("pid"), field("clone_flags"))
    case .exitMmap: exitMM = field("mm")
    case .signalDeliver: signal = field("sig")
    case .collapseIsolate: collapseFrame = (field("pfn"), field("status"))
    case .collapseHugePage: collapseDone = (field("mm"), field("status"))
    case .ksmMergeOne, .ksmMergeWith: ksm[event] = (field("pfn"), field("mm"), field("err"))
    case .swapWrite: swapFrame = field("pfn")
    case .marker: marker = TextField(layout: format.field("buf"))
    case .processFork, .processExit, .processExec: break
    case .syscallEnter, .syscallExit: break
    }
  }

  mutating func addSyscallEnter(_ call: KnownSyscall, _ format: EventFormat) throws(NormalizeError) {
    addCommon(format)
    arguments[call] = format.fields.filter { $0.name != "__syscall_nr" && $0.name != "nr" }.map {
      Field(layout: $0.layout)
    }
  }

  mutating func addSyscallExit(_ format: EventFormat) throws(NormalizeError) {
    addCommon(format)
    result = Field(layout: format.field("ret"))
  }

  private mutating func addCommon(_ format: EventFormat) {
    pid = Field(layout: format.field("common_pid"))
    flags = Field(layout: format.field("common_flags"))
  }
}
