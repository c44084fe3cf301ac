// SPDX-License-Identifier: GPL-2.0-only

internal import Glibc

/// What a text trace tells as a whole, which its first lines have to know already.
struct TextSurvey: Sendable {
  /// Records of this CPU are missing behind the line at this place; -1: from the beginning.
  struct Gap: Sendable {
    var offset: Int
    var cpu: UInt16
  }

  /// It has events that only x86 has. (riscv has page faults too, but no `tlb_flush`; nobody posted one yet.)
  var isX86: Bool
  /// System calls are traced by name.
  var namesCalls: Bool
  /// `uname -r`, where the heading of the latency format says it.
  var release: String?
  /// By place.
  var gaps: [Gap] = []

  init(_ region: ByteRegion) {
    isX86 = ["page_fault_user:", "page_fault_kernel:", "tlb_flush:"].contains { Self.place($0, region, from: 0) != nil }
    namesCalls = Self.namesCalls(region)
    release = Self.release(region)
    if ["EVENTS]", "EVENTS DROPPED]", "PERF_RECORD_LOST"].contains(where: { Self.place($0, region, from: 0) != nil }) {
      gaps = Self.gaps(region)
    }
  }

  private static func place(_ text: StaticString, _ region: ByteRegion, from start: Int) -> Int? {
    let bytes = unsafe region.bytes(0..<region.count)
    guard let base = bytes.baseAddress else { return nil }
    let (first, length) = unsafe (Int32(text.utf8Start.pointee), text.utf8CodeUnitCount)
    var place = start
    while let found = unsafe memchr(base + place, first, max(bytes.count - place, 0)) {
      place = unsafe UnsafeRawPointer(found) - base
      guard place + length <= region.count else { return nil }
      if unsafe memcmp(base + place, text.utf8Start, length) == 0 { return place }
      place += 1
    }
    return nil
  }

  /// `sys_enter_mmap:`, `sys_mmap(`: anything but `sys_enter:` and `sys_exit:` behind a space or a colon.
  private static func namesCalls(_ region: ByteRegion) -> Bool {
    var start = 0
    while let place = place("sys_", region, from: start) {
      let word = unsafe TextLine(region.bytes(place..<min(place + 16, region.count)))
      let front = place > 0 ? unsafe TextLine(region.bytes((place - 1)..<place))[0] : UInt8(ascii: " ")
      let isRaw = word.hasPrefix("sys_enter:") || word.hasPrefix("sys_exit:")
      if !isRaw, front == UInt8(ascii: " ") || front == UInt8(ascii: ":") { return true }
      start = place + 4
    }
    return false
  }

  /// `# nop latency trace v1.1.5 on 6.12.0`
  private static func release(_ region: ByteRegion) -> String? {
    var offset = 0
    for _ in 0..<16 where offset < region.count {
      let (line, next) = TextTrace.line(region, at: offset)
      offset = next
      if line.hasPrefix("#"), let version = line.firstIndex(of: " latency trace v", from: 0),
        let on = line.firstIndex(of: " on ", from: version)
      {
        return line[(on + 4)..<line.count].string.split(separator: " ").first.map(String.init)
      }
    }
    return nil
  }

  private static func gaps(_ region: ByteRegion) -> [Gap] {
    var last: [UInt16: Int] = [:]
    var gaps: [Gap] = []
    var offset = 0
    while offset < region.count {
      let (line, next) = TextTrace.line(region, at: offset)
      if let header = TextHeader(line) {
        if TextEvent(line[header.event]).perfLoss != nil {
          gaps.append(Gap(offset: last[header.cpu] ?? -1, cpu: header.cpu))
        }
        last[header.cpu] = offset
      } else if case .lost(let cpu, _) = OtherLine(line) {
        gaps.append(Gap(offset: last[cpu] ?? -1, cpu: cpu))
      }
      offset = next
    }
    return gaps.sorted { ($0.offset, $0.cpu) < ($1.offset, $1.cpu) }
  }
}
