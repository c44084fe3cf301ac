// SPDX-License-Identifier: GPL-2.0-only

import FoundationEssentials
import MMEvents
import Report
import Testing

@Suite("Events as lines")
struct EventLineTests {
  static let range = PageRange(start: VirtualPage(0x7f000), count: 16)
  static let page = VirtualPage(0x7f003)
  static let child = MMID(8)
  static let pfn = PFN(512)
  static let order = FolioOrder(2)

  /// One of every kind.
  static let all: [MMEvent] = [
    .mmCreated(.fork), .mmTeardownBegan, .mmTeardownProceeded(remaining: 3, unmapped: 0, flushed: true), .mmExited,
    .vmaMapped(range, .anonymous, [.read, .write]), .unmapped(range),
    .removalBegan(range), .removalEnded, .directIOBegan(range, write: true), .directIOEnded,
    .pinBegan(range, [.write, .longTerm]), .pinEnded(range), .unpinned(pfn, count: 2), .protected(range, .read),
    .moved(source: range, destination: VirtualPage(0x9000), keepsSource: true), .advised(range, .dontNeed),
    .fault(page, [.write, .present], .copied(pfn, sinceDecision: 0)),
    .populated(range, .anonymous(pfn, order, replaced: false)),
    .argumentPage(pfn), .stackPlaced(end: VirtualPage(0x7ffff)), .appeared(pfn, .base), .forkBegan(child: child),
    .forkCopied(child: child, range), .forkCopiedPinned(child: child, pfn),
    .forkCounted(child: child, .anonymous, pages: 77), .forkEnded(child: child), .forkAborted(child: child),
    .freed(pfn, order), .lruInserted(pfn), .migrationSet(page, pfn, .readExclusive, order, young: true, dirty: false),
    .migrationRemoved(page, pfn, order, writable: true, dirty: true), .ksmMerged(pfn), .ksmMergedWithZero,
    .reclaimed(pages: 3), .swappedOut(pages: 3), .swapWritten(pfn),
    .collapseBegan(pfn, missing: 12), .collapsed(into: pfn, FolioOrder(9)), .collapseFailed(FolioOrder(9)),
    .scanned(
      CollapseScan(frame: pfn, missing: 5, unmapped: 2, referenced: 1, status: .succeeded, isKhugepaged: true)),
    .snapshotBegan(1), .snapshotEnded(1), .underWay(.fault(page, .write)),
    .lossBegan(CPU(1)), .lost(CPU(1), count: nil),
    .unfollowed(.hugetlb, nil),
  ]

  private func record(_ event: MMEvent, mm: MMID? = MMID(7)) -> MMEventRecord {
    MMEventRecord(
      sequence: Sequence(81_234), time: Timestamp(nanoseconds: 12_000_000_345), cpu: CPU(3), task: TaskID(4711), mm: mm,
      event: event)
  }

  private func line(_ event: MMEvent, mm: MMID? = MMID(7)) -> String {
    var line = LineBuffer()
    EventText(pageShift: 12).append(record(event, mm: mm), to: &line)
    return text(line.bytes)
  }

  private func json(_ event: MMEvent, mm: MMID? = MMID(7)) -> String {
    var line = LineBuffer()
    EventJSON(pageShift: 12).append(record(event, mm: mm), to: &line)
    return text(line.bytes)
  }

  @Test("Columns: seq, time, cpu, task, mm, event, fields")
  func columns() {
    let words = line(.fault(Self.page, [.write, .present], .copied(Self.pfn, sinceDecision: 0))).split(separator: " ")
    #expect(words[0...4] == ["81234", "12.000000345", "cpu3", "4711", "mm7"])
    #expect(words[5...] == ["fault", "addr=0x7f003000", "write-protect", "->", "cow", "pfn=512\n"])
    #expect(line(.freed(Self.pfn, Self.order), mm: nil).contains(" mm- freed pfn=512 order=2\n"))
  }

  @Test("Every kind gives one line of text and one JSON object with the contract's names")
  func everyKind() throws {
    #expect(Set(Self.all.map { EventKind($0) }) == Set(EventKind.allCases))
    for event in Self.all {
      let name = EventKind(event).name
      #expect(line(event).split(separator: "\n").count == 1)
      #expect(line(event).contains(" \(name)"))
      let object = try JSONDecoder().decode(Line.self, from: Data(json(event).utf8))
      #expect(object == Line(seq: 81_234, time_ns: 12_000_000_345, cpu: 3, pid: 4711, mm: 7, event: name))
    }
  }

  @Test("Addresses are strings, frames are numbers, what is unknown is null")
  func values() {
    #expect(json(.unmapped(Self.range)).contains(#""start":"0x7f000000","end":"0x7f010000""#))
    #expect(json(.argumentPage(Self.pfn)).contains(#""pfn":512}"#))
    #expect(
      json(.lost(CPU(1), count: nil), mm: nil).contains(#""mm":null,"event":"records_lost","lost_cpu":1,"count":null}"#)
    )
    #expect(line(.lost(CPU(1), count: nil)).contains("count=unknown"))
  }

  @Test("Numbers of any size and sign", arguments: [0, 1, 10, 999, Int64.max, Int64.min])
  func digits(value: Int64) {
    var line = LineBuffer()
    line.append(decimal: value)
    #expect(text(line.bytes) == String(value))
    line.removeAll()
    line.append(hexadecimal: UInt64(bitPattern: value))
    #expect(text(line.bytes) == "0x" + String(UInt64(bitPattern: value), radix: 16))
  }

  private struct Line: Decodable, Equatable {
    var seq: UInt64
    var time_ns: UInt64
    var cpu: Int
    var pid: Int
    var mm: Int?
    var event: String
  }
}

@Suite("script's filters and counts")
struct EventFilterTests {
  private func record(_ event: MMEvent, task: Int32 = 1, time: UInt64 = 0) -> MMEventRecord {
    MMEventRecord(
      sequence: Sequence(1), time: Timestamp(nanoseconds: time), cpu: CPU(0), task: TaskID(task), mm: nil, event: event)
  }

  @Test("A frame in the middle of a folio belongs to the folio, the one after it does not")
  func frames() {
    var filter = EventFilter()
    filter.frame = PFN(515)
    #expect(filter.admits(record(.freed(PFN(512), FolioOrder(2)))))
    #expect(!filter.admits(record(.freed(PFN(516), FolioOrder(2)))))
    filter.frame = PFN(516)
    #expect(!filter.admits(record(.freed(PFN(512), FolioOrder(2)))))
  }

  @Test("A range holds its first page and not its end; mremap names both its ends")
  func pages() {
    let range = PageRange(start: VirtualPage(10), end: VirtualPage(20))
    var filter = EventFilter()
    for (page, isInside) in [(9, false), (10, true), (19, true), (20, false)] {
      filter.page = VirtualPage(UInt64(page))
      #expect(filter.admits(record(.unmapped(range))) == isInside)
    }
    let moved = MMEvent.moved(source: range, destination: VirtualPage(100), keepsSource: false)
    filter.page = VirtualPage(109)
    #expect(filter.admits(record(moved)))
    filter.page = VirtualPage(110)
    #expect(!filter.admits(record(moved)))
  }

  @Test("Conditions combine with and; both ends of a time range belong to it")
  func combination() {
    var filter = EventFilter()
    filter.task = TaskID(5)
    filter.time = Timestamp(nanoseconds: 10)...Timestamp(nanoseconds: 20)
    #expect(filter.admits(record(.mmExited, task: 5, time: 10)))
    #expect(filter.admits(record(.mmExited, task: 5, time: 20)))
    #expect(!filter.admits(record(.mmExited, task: 5, time: 21)))
    #expect(!filter.admits(record(.mmExited, task: 6, time: 15)))
  }

  @Test("Counts add up, by kind")
  func counts() throws {
    var counts = EventCounts()
    for event in EventLineTests.all + EventLineTests.all { counts.add(event) }
    #expect(counts.total == UInt64(2 * EventLineTests.all.count))
    #expect(EventKind.allCases.allSatisfy { counts[$0] == 2 })
    var some = EventCounts()
    some.add(.mmExited)
    #expect(text(try some.json()) == "{\"counts\":{\"mm_exited\":1},\"total\":1}\n")
  }
}

@Suite("Catalogue")
struct CatalogueTests {
  @Test("Every name that is listed can be explained, and no two share a name")
  func complete() {
    var names: [String] = []
    for section in CatalogueSection.allCases {
      for line in Catalogue.listing(of: section).split(separator: "\n") {
        names.append(String(line.prefix { $0 != " " }))
      }
    }
    #expect(Set(names.map { $0.lowercased() }).count == names.count)
    for name in names { #expect(Catalogue.entry(named: name.uppercased())?.name == name) }
  }
}
