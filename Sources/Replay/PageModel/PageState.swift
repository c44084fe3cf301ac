// SPDX-License-Identifier: GPL-2.0-only

/// All of a world that there is one of per page, table or slot.
struct PageState: ~Copyable, Sendable {
  var tables = PageTables()
  var folios = FolioPool()
  var slots = SwapSlots()
  var frames = FrameMap()

  init() {}

  private init(copying other: borrowing PageState) {
    tables = other.tables.copy()
    folios = other.folios.copy()
    slots = other.slots.copy()
    frames = other.frames.copy()
  }

  /// Where a world has its page state: not in the world itself, which the compiler likes to copy for passing it on.
  /// Two worlds share it only until one of them changes something.
  @safe
  struct Place: @unchecked Sendable {
    private var owner: Owner
    private var address: UnsafeMutablePointer<PageState>

    init() {
      owner = Owner(PageState())
      unsafe address = owner.address
    }

    var state: PageState {
      @inline(__always) unsafeAddress { unsafe UnsafePointer(address) }
      @inline(__always) unsafeMutableAddress {
        if !isKnownUniquelyReferenced(&owner) { copy() }
        return unsafe address
      }
    }

    @inline(never)
    private mutating func copy() {
      owner = Owner(PageState(copying: unsafe address.pointee))
      unsafe address = owner.address
    }
  }

  @safe
  private final class Owner: @unchecked Sendable {
    let address: UnsafeMutablePointer<PageState>

    init(_ state: consuming PageState) {
      unsafe address = .allocate(capacity: 1)
      unsafe address.initialize(to: state)
    }

    deinit {
      unsafe address.deinitialize(count: 1)
      unsafe address.deallocate()
    }
  }
}
