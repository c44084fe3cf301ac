// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Pins that probes showed, by the frame of the page: who gives one back names nothing else.
struct SeenPins {
  struct Pin {
    let mm: MMID
    var page: VirtualPage
    /// First frame of the folio.
    let head: PFN
  }

  private var pins: [PFN: [Pin]] = [:]
  /// How many pages a folio has at most that pins are given back of by its first frame.
  private static let longestFolio = 512

  var isEmpty: Bool { pins.isEmpty }

  func isPinned(_ pfn: PFN) -> Bool { pins[pfn] != nil }

  mutating func add(_ pin: Pin, at pfn: PFN) { pins[pfn, default: []].append(pin) }

  /// One pin of the page, the newest.
  mutating func take(_ pfn: PFN) -> Pin? {
    guard let pin = pins[pfn]?.popLast() else { return nil }
    if pins[pfn]?.isEmpty == true { pins[pfn] = nil }
    return pin
  }

  /// So many of the page, or of the folio that begins there. Of which pages of it, is not told, and to the kernel it is one
  /// (`folio_maybe_dma_pinned`): the first ones.
  mutating func take(_ count: UInt32, from pfn: PFN) -> [Pin] {
    var found: [Pin] = []
    for offset in 0..<Self.longestFolio where found.count < Int(count) {
      let frame = pfn.advanced(by: offset)
      while found.count < Int(count), let pin = pins[frame]?.last, frame == pfn || pin.head == pfn {
        if let pin = take(frame) { found.append(pin) }
      }
      if offset == 0, count == 1, !found.isEmpty { break }
    }
    return found
  }

  mutating func takeAll() -> [Pin] {
    defer { pins = [:] }
    return pins.sorted { $0.key < $1.key }.flatMap(\.value)
  }

  /// All of these frames.
  mutating func takeAll(_ pfn: PFN, _ order: FolioOrder) -> [Pin] {
    (0..<order.pageCount).flatMap { pins.removeValue(forKey: pfn.advanced(by: $0)) ?? [] }
  }

  /// All through these pages.
  mutating func takeAll(_ mm: MMID, _ range: PageRange) -> [Pin] {
    var found: [Pin] = []
    for (pfn, all) in pins.sorted(by: { $0.key < $1.key }) {
      let taken = all.filter { $0.mm == mm && range.contains($0.page) }
      guard !taken.isEmpty else { continue }
      found += taken
      let left = all.filter { !($0.mm == mm && range.contains($0.page)) }
      pins[pfn] = left.isEmpty ? nil : left
    }
    return found
  }

  /// The pages' entries moved: by the frame they are found all the same, the model has the pins at the new place.
  mutating func moved(_ mm: MMID, _ source: PageRange, to destination: VirtualPage) {
    for pfn in pins.keys {
      for index in pins[pfn]?.indices ?? 0..<0 {
        guard let pin = pins[pfn]?[index], pin.mm == mm, source.contains(pin.page) else { continue }
        let offset = pin.page.rawValue &- source.start.rawValue
        pins[pfn]?[index].page = VirtualPage(destination.rawValue &+ offset)
      }
    }
  }
}

extension ReplayDriver {
  /// What GUP fills from here on is told within the range, and for this pin.
  mutating func pinBegan(_ mm: MMID, _ range: PageRange, _ flags: PinFlags) {
    let call = DirectIO.Call(mm: mm, range: range, write: flags.contains(.write), next: range.start)
    directIO.beginSeen(current.task, call)
  }

  /// Every page of the range is pinned: what was needed for that and did not show was done in its place.
  mutating func pinEnded(_ mm: MMID, _ range: PageRange?) {
    guard let call = directIO.endSeen(current.task, mm) else { return }
    guard let range else {
      count(.pinsNotFollowed)
      doubtKept(by: call)
      for page in call.pinned { run(.unpin(mm, page)) }
      return
    }
    for page in call.pinned where !range.contains(page) { run(.unpin(mm, page)) }
    if hugetlb.isSeen { filledHugetlb(for: call) }
    for index in 0..<range.count {
      let page = range.start.advanced(by: index)
      if call.pinned.contains(page) { keep(mm, page) } else { pinned(mm, page, call) }
    }
  }

  /// The page was pinned, and no event told that it was filled or copied for it.
  private mutating func pinned(_ mm: MMID, _ page: VirtualPage, _ call: DirectIO.Call) {
    let vma = facts(mm, page)
    if vma.backing == .shared || vma.backing.isHugetlb { return }
    let entry = lockstep.baseline.memory.entry(mm, page)
    switch entry.kind {
    case .present: break
    // File pages, and what there is no pin of: no page of anonymous memory.
    case .filePage, .zeroPage: return
    default:
      // It is there all the same.
      if vma.backing == .anonymous { count(.pinsNotFollowed) }
      return
    }
    guard lockstep.baseline.memory.mappedFrame(mm, page) != nil else {
      count(.pinsNotFollowed)
      return lockstep.doubts.add(mm, entryRange(mm, page), .keptForPin)
    }
    let isPinnedAsItIs = entry.writable || (!call.write && lockstep.baseline.claim(mm, page) == .exclusive)
    if !isPinnedAsItIs { guard madeExclusive(mm, page, vma) else { return } }
    noteTouched(mm, page)
    let outcome = run(.pin(mm, page, vma, write: call.write), followsKernel: true)
    guard case .reused = outcome else { return count(.pinsNotFollowed) }
    lockstep.doubts.settle(mm, page)
    keep(mm, page)
  }

  /// GUP made the page exclusive where it is (`wp_can_reuse_anon_folio` in a write or unshare fault): a decision of the
  /// kernel's. `false`: the model has no way to that.
  private mutating func madeExclusive(_ mm: MMID, _ page: VirtualPage, _ vma: VMAFacts) -> Bool {
    switch lockstep.predictWriteFault(mm, page) {
    case .alreadyWritable: return true
    case _ where lockstep.baseline.claim(mm, page) == .exclusive: return true
    case .mustReuse:
      if case .none = hiddenReference(mm, page), lockstep.doubts.cause(mm, page) == nil {
        verifier.agree(.decision)
      } else {
        unknown(.decision, mm, page, lockstep.doubts.cause(mm, page).map { UnknownCause($0) } ?? .removalRunning)
      }
    case .eitherWay(.sharerDying) where dyingReferences(mm, page) == .released: verifier.agree(.decision)
    case .eitherWay(let reason): unknown(.decision, mm, page, UnknownCause(reason))
    case .mustCopy:
      // A copy that came in at a place that could not be told may be this one.
      unknown(.decision, mm, page, doubtAboutSharing(mm, page) ?? .placeNotSeen)
      count(.pinsNotFollowed)
      lockstep.doubts.add(mm, entryRange(mm, page), .keptForPin)
      return false
    case .mustReplace, .notMapped:
      count(.pinsNotFollowed)
      return false
    }
    excludeOthers(mm, page, ofWholeFolio: true)
    return true
  }

  private mutating func keep(_ mm: MMID, _ page: VirtualPage) {
    guard let (folio, index) = lockstep.baseline.memory.mappedPage(mm, page),
      let head = lockstep.baseline.memory.pfn(of: folio)
    else {
      run(.unpin(mm, page))
      return count(.pinsNotFollowed)
    }
    seenPins.add(SeenPins.Pin(mm: mm, page: page, head: head), at: head.advanced(by: index))
  }

  mutating func unpinned(_ pfn: PFN, _ count: UInt32) {
    guard !seenPins.isEmpty else { return }
    for pin in seenPins.take(count, from: pfn) { run(.unpin(pin.mm, pin.page)) }
  }

  /// A pinned frame is not freed, nor does a pinned page move: that it was given back did not show.
  mutating func werePinned(_ pins: [SeenPins.Pin]) {
    for pin in pins {
      count(.pinsNotFollowed)
      run(.unpin(pin.mm, pin.page))
    }
  }

  func isSeenPinned(_ mm: MMID, _ page: VirtualPage) -> Bool {
    !seenPins.isEmpty
      && lockstep.baseline.memory.mappedPage(mm, page).map { lockstep.baseline.memory.isPinned($0.folio) } ?? false
  }

  /// Pages of the range that the model has pinned, and that fork copies at once, in order.
  func seenPinned(_ mm: MMID, _ range: PageRange) -> [VirtualPage] {
    guard !seenPins.isEmpty else { return [] }
    var pages: [VirtualPage] = []
    lockstep.baseline.memory.forEachEntry(mm, range) { page, entry in
      if entry.kind == .present, lockstep.baseline.memory.isPinned(entry.folio) { pages.append(page) }
    }
    return pages.filter {
      lockstep.baseline.claim(mm, $0) == .exclusive && !lockstep.baseline.memory.isPMDMapped(mm, $0)
    }
  }
}
