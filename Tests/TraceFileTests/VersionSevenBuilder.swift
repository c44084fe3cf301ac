// SPDX-License-Identifier: GPL-2.0-only

import CZlib

struct LittleBytes {
  var bytes: [UInt8] = []
  mutating func add16(_ value: UInt16) { for shift in 0..<2 { bytes.append(UInt8(value >> UInt16(8 * shift) & 0xff)) } }
  mutating func add32(_ value: UInt32) { for shift in 0..<4 { bytes.append(UInt8(value >> UInt32(8 * shift) & 0xff)) } }
  mutating func add64(_ value: UInt64) { for shift in 0..<8 { bytes.append(UInt8(value >> UInt64(8 * shift) & 0xff)) } }
  mutating func add(_ more: [UInt8]) { bytes += more }
  mutating func add(_ text: String) { bytes += Array(text.utf8) }
}

/// A trace.dat of version 7 as small as it gets, laid out by hand from the description of the format.
enum VersionSevenBuilder {
  enum Form { case none, zlib }

  static let headerPage = """
    \tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
    \tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;
    \tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
    \tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;

    """

  /// CPU 5 of the top-level buffer has events 1, 2, 3 at 1010, 1020, 1030; the instance's CPU 0 has event 9 at 1015.
  static func build(
    compression: Form, withInstance: Bool = false, chunksOfInstance: [UInt8]? = nil,
    options more: [(UInt16, [UInt8])] = []
  ) -> [UInt8] {
    var out = LittleBytes()
    out.add([0x17, 0x08, 0x44])
    out.add("tracing7\0")
    out.add([0, 8])
    out.add32(4096)
    out.add(compression == .zlib ? "zlib\01.2\0" : "none\0\0")
    let optionsPlace = out.bytes.count
    out.add64(0)
    func section(_ id: UInt16, _ body: [UInt8], compressed: Bool) -> UInt64 {
      let place = UInt64(out.bytes.count)
      let stored = compressed ? frame(body) : body
      out.add16(id)
      out.add16(compressed ? 1 : 0)
      out.add32(0)
      out.add64(UInt64(stored.count))
      out.add(stored)
      return place
    }
    let compressed = compression == .zlib
    var info = LittleBytes()
    info.add("header_page\0")
    info.add64(UInt64(headerPage.utf8.count))
    info.add(headerPage)
    info.add("header_event\0")
    info.add64(0)
    var options: [(UInt16, [UInt8])] = more
    for (id, body) in [(16, info.bytes), (17, [0, 0, 0, 0]), (18, [0, 0, 0, 0])] as [(UInt16, [UInt8])] {
      var place = LittleBytes()
      place.add64(section(id, body, compressed: compressed))
      options.append((id, place.bytes))
    }
    var top = PageBuilder()
    for id in 1...3 as ClosedRange<UInt16> { top.event(delta: 10, top.payload(id: id)) }
    options.append((3, buffer(&out, "", "local", 4096, cpu: 5, top.page(), compressed: compressed)))
    if withInstance || chunksOfInstance != nil {
      var marks = PageBuilder(size: 8192)
      marks.event(delta: 15, marks.payload(id: 9))
      options.append(
        (
          3,
          buffer(
            &out, "marks", "boot [mono]", 8192, cpu: 0, marks.page(), compressed: compressed,
            chunks: chunksOfInstance)
        ))
    }
    var body = LittleBytes()
    for (id, data) in options + [(0, [UInt8](repeating: 0, count: 8))] {
      body.add16(id)
      body.add32(UInt32(data.count))
      body.add(data)
    }
    var place = LittleBytes()
    place.add64(section(0, body.bytes, compressed: false))
    out.bytes.replaceSubrange(optionsPlace..<(optionsPlace + 8), with: place.bytes)
    return out.bytes
  }

  /// Appends the data of one CPU and returns the BUFFER option.
  private static func buffer(
    _ out: inout LittleBytes, _ name: String, _ clock: String, _ size: UInt32, cpu: UInt32, _ page: [UInt8],
    compressed: Bool, chunks: [UInt8]? = nil
  ) -> [UInt8] {
    var option = LittleBytes()
    option.add64(UInt64(out.bytes.count))
    let pad = (4096 - (out.bytes.count + 16) % 4096) % 4096
    let stored = chunks ?? (compressed ? [1, 0, 0, 0] + frame(page) : page)
    out.add16(3)
    out.add16(compressed ? 1 : 0)
    out.add32(0)
    out.add64(UInt64(pad + stored.count))
    out.add([UInt8](repeating: 0, count: pad))
    option.add(name + "\0" + clock + "\0")
    option.add32(size)
    option.add32(1)
    option.add32(cpu)
    option.add64(UInt64(out.bytes.count))
    option.add64(UInt64(stored.count))
    out.add(stored)
    return option.bytes
  }

  /// u32 compressed size, u32 size, bytes.
  private static func frame(_ body: [UInt8]) -> [UInt8] {
    var size = compressBound(uLong(body.count))
    var packed = [UInt8](repeating: 0, count: Int(size))
    let status = unsafe compress2(&packed, &size, body, uLong(body.count), 6)
    precondition(status == Z_OK)
    var out = LittleBytes()
    out.add32(UInt32(size))
    out.add32(UInt32(body.count))
    out.add(Array(packed[..<Int(size)]))
    return out.bytes
  }
}
