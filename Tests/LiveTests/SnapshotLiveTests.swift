// SPDX-License-Identifier: GPL-2.0-only

import Capture
import Foundation
import TestSupport
import Testing
import TraceFile

@Suite("Snapshots, on this host", .serialized, LiveHost.requirement)
struct SnapshotLiveTests {
  @Test("A snapshot shows the pages this very process has, as its own pagemap shows them")
  func ownPages() throws {
    let work = try Scratch()
    let pageSize = Int(getpagesize())
    let mapped = unsafe mmap(nil, 16 * pageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    let memory = try unsafe #require(mapped)
    defer { unsafe munmap(memory, 16 * pageSize) }
    // Every second page is touched.
    for page in stride(from: 0, to: 16, by: 2) {
      unsafe memory.storeBytes(of: 1, toByteOffset: page * pageSize, as: UInt8.self)
    }
    let recorder = try LiveHost.record(["-o", "x.cow", "-p", "\(getpid())", "--duration", "0.2"], in: work)
    #expect(recorder.wait() == .exited(code: 0))
    let file = try SnapshotFile.open(work.path("x.cow/snapshots.bin"))
    // At the start and at the end. What other tests start from this process meanwhile is followed too.
    let own = try (0..<file.count).map { try file.snapshot(at: $0) }.filter { $0.pid == getpid() }
    #expect(own.count == 2)
    let snapshot = try #require(own.first)
    let address = UInt64(UInt(bitPattern: memory))
    #expect(snapshot.vmas.contains { $0.start <= address && address < $0.end && $0.isWritable })
    let first = address / UInt64(pageSize)
    let pages = snapshot.pages.filter { (first..<first + 16).contains($0.virtualPage) }
    #expect(pages.map { $0.virtualPage - first } == [0, 2, 4, 6, 8, 10, 12, 14])
    let ownWords = try ownPagemap(first: first, count: 16)
    for page in pages {
      #expect(page.pagemap & frameBits == ownWords[Int(page.virtualPage - first)] & frameBits)
      // KPF_ANON
      #expect(page.pageFlags >> 12 & 1 == 1)
    }
  }

  @Test("The reading of pagemap names the target's mm between the two markers")
  func bracket() throws {
    let work = try Scratch()
    let script = "sleep 4 & wait"
    let recorder = try LiveHost.record(["-o", "x.cow", "--snapshot-every", "200", "--", "sh", "-c", script], in: work)
    #expect(recorder.wait() == .exited(code: 0))
    let reader = try TraceFile.open(work.path("x.cow"))
    let marker = try #require(try reader.formats.format(named: "print", system: "ftrace"))
    let words = try #require(marker.field("buf"))
    let lock = try #require(try reader.formats.format(named: "mmap_lock_acquire_returned"))
    let mm = try #require(lock.field("mm"))
    let pid = try #require(lock.field("common_pid"))
    let snapshots = try SnapshotFile.open(work.path("x.cow/snapshots.bin"))
    // A process may have exited before it was read: then there is no mm any more, and no page of it, or no snapshot.
    let withPages = Set(
      try (0..<snapshots.count).map { try snapshots.snapshot(at: $0) }.filter { !$0.pages.isEmpty }.map(\.index))
    var open: (task: UInt64, pointers: Set<UInt64>)?
    var brackets = 0
    var named: Set<UInt32> = []
    var collector: UInt64?
    var batch = RecordBatch()
    while reader.nextBatch(into: &batch) {
      for index in 0..<batch.count {
        let record = batch[index]
        let task = pid.loadUInt64(from: record)
        if record.eventID == marker.id {
          let text = try #require(words.loadString(from: record))
          if text.hasPrefix("cowscope collector ") {
            // Told before the thread does anything.
            collector = text.split { $0 == " " || $0 == "\n" }.last.flatMap { UInt64($0) }
          } else if text.hasPrefix("cowscope snapshot begin") {
            open = (try #require(task), [])
          } else if text.hasPrefix("cowscope snapshot end"), let closed = open {
            #expect(closed.task == task && collector == task)
            let index = try #require(text.split(separator: " ").dropFirst(3).first.flatMap { UInt32($0) })
            #expect(closed.pointers.count <= 1, "mm pointers between the markers")
            brackets += 1
            if closed.pointers.count == 1 { named.insert(index) }
            open = nil
          }
        } else if record.eventID == lock.id, task == open?.task, let pointer = mm.loadUInt64(from: record) {
          open?.pointers.insert(pointer)
        }
      }
    }
    #expect(withPages.isSubset(of: named), "without an mm: \(withPages.subtracting(named).sorted())")
    #expect(named.count >= 2)
    #expect(brackets == reader.capture?.manifest?.snapshotCount)
  }

  private let frameBits: UInt64 = ((1 << 55) - 1) | (1 << 63)

  private func ownPagemap(first: UInt64, count: Int) throws -> [UInt64] {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/pagemap"))
    defer { try? file.close() }
    try file.seek(toOffset: first * 8)
    let data = try #require(try file.read(upToCount: count * 8))
    return (0..<count).map { index in
      (0..<8).reduce(0) { $0 | UInt64(data[data.startIndex + index * 8 + $1]) << UInt64(8 * $1) }
    }
  }
}
