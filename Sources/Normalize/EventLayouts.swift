// SPDX-License-Identifier: GPL-2.0-only

import TraceFile

/// Where the fields lie that the normalizer reads.
///
/// A field that this kernel's event does not have is `Field.absent`: reading it gives `nil`, and the record is
/// counted as malformed.
struct EventLayouts {
  /// The place of a number in the payload, or none.
  struct Field {
    let offset: UInt32
    /// In bytes; 0 when there is no such number.
    private let size: UInt8
    private let isSigned: Bool

    static let absent = Field(layout: nil)

    init(layout: FieldLayout?) {
      // No event has fields farther out; a wild offset must not overflow.
      guard let layout, layout.kind == .scalar, layout.offset <= UInt16.max else {
        (offset, size, isSigned) = (0, 0, false)
        return
      }
      (offset, size, isSigned) = (layout.offset, UInt8(layout.size), layout.isSigned)
    }

    /// One past the number's last byte.
    var end: UInt32 { offset + UInt32(size) }

    func has<Value: FieldNumber>(_ type: Value.Type) -> Bool {
      Int(size) == MemoryLayout<Value>.size && isSigned == Value.isSigned
    }

    func load(_ record: RawRecord) -> UInt64? {
      FieldLayout(
        offset: offset, size: UInt32(size), elementSize: UInt32(size), isSigned: isSigned, kind: .scalar
      ).loadUInt64(from: record)
    }

    func loadSigned(_ record: RawRecord) -> Int64? { load(record).map { Int64(bitPattern: $0) } }
  }

  /// The place of a text in the payload, or none.
  struct TextField {
    fileprivate var layout: FieldLayout?

    func text(_ record: RawRecord) -> String? { layout?.loadString(from: record) }
  }

  private let groups = FieldGroups()
  private(set) var pid: FieldGroup<Int32>
  /// Address, error_code.
  private(set) var faultUser: FieldGroup<(UInt64, UInt64)>
  /// Address, error_code.
  private(set) var faultKernel: FieldGroup<(UInt64, UInt64)>
  /// Frame, order, gfp_flags.
  private(set) var alloc: FieldGroup<(UInt64, UInt32, UInt64)>
  /// Frame, order.
  private(set) var free: FieldGroup<(UInt64, UInt32)>
  /// mm_id, curr, member, size.
  private(set) var rss: FieldGroup<(UInt32, UInt32, Int32, Int64)>
  private(set) var lru: FieldGroup<UInt64>
  /// Reason, pages.
  private(set) var tlb: FieldGroup<(Int32, UInt64)>
  /// First and last index, value.
  private(set) var tree: FieldGroup<(UInt64, UInt64, UInt64)>
  /// mm, write, success.
  private(set) var lock: FieldGroup<(UInt64, UInt8, UInt8)>
  private(set) var migration: [KnownEvent: (address: Field, entry: Field, order: Field)] = [:]
  private(set) var newTask = (pid: Field.absent, flags: Field.absent)
  private(set) var forkedChild = Field.absent
  private(set) var exitMM = Field.absent
  private(set) var signal = Field.absent
  private(set) var collapseFrame = (frame: Field.absent, status: Field.absent, missing: Field.absent)
  /// The order is since 7.2: before, a collapse makes a huge page of a PMD.
  private(set) var collapseDone = (mm: Field.absent, status: Field.absent, order: Field.absent)
  private(set) var scan: ScanLayout?
  private(set) var ksm: [KnownEvent: (frame: Field, mm: Field, error: Field)] = [:]
  private(set) var swapFrame = Field.absent
  private(set) var marker = TextField()
  private(set) var arguments: [KnownSyscall: [Field]] = [:]
  private(set) var result = Field.absent
  /// By `common_type`.
  private(set) var probes: [UInt16: ProbeLayout] = [:]

  init() {
    pid = groups.add(.absent)
    faultUser = groups.add(.absent, .absent)
    faultKernel = groups.add(.absent, .absent)
    alloc = groups.add(.absent, .absent, .absent)
    free = groups.add(.absent, .absent)
    rss = groups.add(.absent, .absent, .absent, .absent)
    lru = groups.add(.absent)
    tlb = groups.add(.absent, .absent)
    tree = groups.add(.absent, .absent, .absent)
    lock = groups.add(.absent, .absent, .absent)
  }

  mutating func add(_ event: KnownEvent, _ format: EventFormat) throws(NormalizeError) {
    addCommon(format)
    func field(_ name: String) -> Field { Field(layout: format.field(name)) }
    switch event {
    case .pageFaultUser: faultUser = groups.add(field("address"), field("error_code"))
    case .pageFaultKernel: faultKernel = groups.add(field("address"), field("error_code"))
    case .pageAlloc: alloc = groups.add(field("pfn"), field("order"), field("gfp_flags"))
    case .pageFree: free = groups.add(field("pfn"), field("order"))
    case .rssStat: rss = groups.add(field("mm_id"), field("curr"), field("member"), field("size"))
    case .lruInsertion: lru = groups.add(field("pfn"))
    case .tlbFlush: tlb = groups.add(field("reason"), field("pages"))
    case .mapleTreeWrite: tree = groups.add(field("index"), field("last"), field("val"))
    case .mmapLockReturned: lock = groups.add(field("mm"), field("write"), field("success"))
    case .setMigrationPTE, .removeMigrationPTE: migration[event] = (field("addr"), field("pte"), field("order"))
    case .setMigrationPMD, .removeMigrationPMD: migration[event] = (field("addr"), field("pmd"), .absent)
    case .newTask: newTask = (field("pid"), field("clone_flags"))
    case .exitMmap: exitMM = field("mm")
    case .signalDeliver: signal = field("sig")
    case .collapseIsolate: collapseFrame = (field("pfn"), field("status"), field("none_or_zero"))
    case .collapseHugePage: collapseDone = (field("mm"), field("status"), field("order"))
    case .collapseScan: scan = ScanLayout(format)
    case .ksmMergeOne, .ksmMergeWith: ksm[event] = (field("pfn"), field("mm"), field("err"))
    case .swapWrite: swapFrame = field("pfn")
    case .marker: marker = TextField(layout: format.field("buf"))
    case .processFork: forkedChild = field("child_pid")
    case .processExit, .processExec, .taskRename: break
    case .syscallEnter, .syscallExit, .pinEnter, .pinExit, .pinRelease: break
    }
  }

  mutating func add(_ probe: KnownProbe, _ format: EventFormat) {
    addCommon(format)
    probes[format.id] = ProbeLayout(probe, format)
  }

  mutating func addSyscallEnter(_ call: KnownSyscall, _ format: EventFormat) throws(NormalizeError) {
    addCommon(format)
    // `__syscall_nr` is no argument, nor is what an argument points at (`__filename_val`, seen on 7.2).
    arguments[call] = format.fields.filter { !$0.name.hasPrefix("__") && $0.name != "nr" }.map {
      Field(layout: $0.layout)
    }
  }

  mutating func addSyscallExit(_ format: EventFormat) throws(NormalizeError) {
    addCommon(format)
    result = Field(layout: format.field("ret"))
  }

  private mutating func addCommon(_ format: EventFormat) {
    pid = groups.add(Field(layout: format.field("common_pid")))
  }
}
