// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What the kernel has of memory, whatever the encoding: mms, page tables, folios, swap slots, frames. Of it there is
/// one per page, table or slot.
///
/// A transition changes it by the steps of `World`, which tell the encoding; what only looks, and what keeps the counts
/// of an entry that comes or goes, is here, and compiled once for all encodings.
package struct Memory: ~Copyable, Sendable {
  var tables = PageTables()
  var folios = FolioPool()
  var slots = SwapSlots()
  var frames = FrameMap()
  var mms = ContiguousArray<MMState?>()
  var freeMMs = ContiguousArray<UInt32>()
  /// MMID -> slot in `mms`, `noIndex` once it is gone.
  var slotOfMM = ContiguousArray<UInt32>()
  /// Pins and plain references in force, with the entry they were taken through.
  var pins: [PinRecord] = []
  var references: [PinRecord] = []
  /// Slots whose diverging entry gave way to another one that stands for the same page: what the new one loses is lost
  /// anew. Emptied by whoever judges.
  var recarried: [EntryRef] = []
  /// mms that are being torn down.
  var dyingCount = 0
  /// Of all mms; `nil` where nobody counts them: in the world of an encoding.
  var upperTables: AllUpperTables? = AllUpperTables()

  /// Of hundreds of bytes: with an existential in it the compiler passes its address, and not its bytes.
  private let passedByAddress: (any Sendable)? = nil

  init() {}

  private init(copying other: borrowing Memory) {
    tables = other.tables.copy()
    folios = other.folios.copy()
    slots = other.slots.copy()
    frames = other.frames.copy()
    mms = other.mms
    freeMMs = other.freeMMs
    slotOfMM = other.slotOfMM
    pins = other.pins
    references = other.references
    recarried = other.recarried
    dyingCount = other.dyingCount
    upperTables = other.upperTables
  }

  /// Where a world has its memory: not in the world itself, which the compiler likes to copy for passing it on. Two
  /// worlds share it only until one of them changes something.
  @safe
  struct Place: @unchecked Sendable {
    private var owner: Owner
    private var address: UnsafeMutablePointer<Memory>

    init() {
      owner = Owner(Memory())
      unsafe address = owner.address
    }

    var memory: Memory {
      @inline(__always) unsafeAddress { unsafe UnsafePointer(address) }
      @inline(__always) unsafeMutableAddress {
        if !isKnownUniquelyReferenced(&owner) { copy() }
        return unsafe address
      }
    }

    @inline(never)
    private mutating func copy() {
      owner = Owner(Memory(copying: unsafe address.pointee))
      unsafe address = owner.address
    }
  }

  @safe
  private final class Owner: @unchecked Sendable {
    let address: UnsafeMutablePointer<Memory>

    init(_ memory: consuming Memory) {
      unsafe address = .allocate(capacity: 1)
      unsafe address.initialize(to: memory)
    }

    deinit {
      unsafe address.deinitialize(count: 1)
      unsafe address.deallocate()
    }
  }
}

/// Worlds that run side by side and are mostly equal: equal things get equal numbers, and are stored once.
extension Memory {
  /// It is of a world that runs beside the baseline's from the start.
  mutating func becomeFollower() {
    upperTables = nil
    tables.becomeFollower()
    folios.becomeFollower()
    slots.becomeFollower()
  }

  /// The leading world is about to do the next operation.
  @inline(never)
  mutating func beginOperation() {
    tables.beginOperation()
    folios.beginOperation()
    slots.beginOperation()
  }

  /// The leading world has done the operation that is to be done here.
  @inline(never)
  mutating func beginOperation(after leader: borrowing Memory) {
    tables.beginOperation(after: leader.tables)
    folios.beginOperation(after: leader.folios)
    slots.beginOperation(after: leader.slots)
  }

  /// Bytes that no other world uses.
  var ownBytes: Int { tables.ownBytes + folios.ownBytes + slots.ownBytes }

  /// What is equal in both is stored once until one of them changes it.
  mutating func shareEqual(with other: inout Memory) {
    tables.shareEqualLeaves(with: &other.tables)
    folios.shareEqualLeaves(with: &other.folios)
    slots.shareEqualLeaves(with: &other.slots)
  }
}
