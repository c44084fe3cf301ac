// SPDX-License-Identifier: GPL-2.0-only

/// A trace.dat of version 6 as small as it gets, laid out by hand from the description of the format.
enum VersionSixBuilder {
  static func build(cpus: [[UInt8]]) -> [UInt8] {
    var out = LittleBytes()
    out.add([0x17, 0x08, 0x44])
    out.add("tracing6\0")
    out.add([0, 8])
    out.add32(4096)
    out.add("header_page\0")
    out.add64(UInt64(VersionSevenBuilder.headerPage.utf8.count))
    out.add(VersionSevenBuilder.headerPage)
    out.add("header_event\0")
    out.add64(0)
    // No formats, kallsyms, printk_formats, saved_cmdlines.
    for _ in 0..<4 { out.add32(0) }
    out.add64(0)
    out.add32(UInt32(cpus.count))
    out.add("flyrecord\0")
    var place = (out.bytes.count + 16 * cpus.count + 4095) / 4096 * 4096
    for data in cpus {
      out.add64(UInt64(place))
      out.add64(UInt64(data.count))
      place += data.count
    }
    out.add([UInt8](repeating: 0, count: (4096 - out.bytes.count % 4096) % 4096))
    for data in cpus { out.add(data) }
    return out.bytes
  }
}
