// SPDX-License-Identifier: GPL-2.0-only

/// Where things are in a sub-buffer (`struct buffer_data_page`), as the kernel's `events/header_page` tells.
///
///     0   timestamp  u64
///     8   commit     long: loss flags and the number of valid data bytes
///     D   data       records; D is 16 on 64-bit kernels, 12 on 32-bit ones
package struct SubBufferLayout: Equatable, Sendable {
  /// Offset of the first record (D).
  package var dataOffset: Int
  /// Bytes for records.
  package var capacity: Int
  /// Size of the kernel's `long`, 4 or 8.
  package var commitSize: Int
  package var isBigEndian: Bool

  package var size: Int { dataOffset + capacity }

  /// No record is shorter than 8 bytes.
  var maximumRecords: Int { capacity / 8 + 1 }

  package init(dataOffset: Int, capacity: Int, commitSize: Int, isBigEndian: Bool) {
    self.dataOffset = dataOffset
    self.capacity = capacity
    self.commitSize = commitSize
    self.isBigEndian = isBigEndian
  }

  /// Reads the text of `events/header_page`, or returns `nil` when it describes no possible sub-buffer.
  package init?(headerPage text: String, isBigEndian: Bool) {
    guard let commit = Self.field("commit", in: text), let data = Self.field("data", in: text),
      commit.offset == 8, commit.size == 4 || commit.size == 8,
      data.offset >= 8 + commit.size, data.offset <= 64,
      // The kernel's write index has 20 bits, so a sub-buffer is at most 1 MiB.
      data.size >= 32, data.offset + data.size <= 1 << 20
    else { return nil }
    self.init(dataOffset: data.offset, capacity: data.size, commitSize: commit.size, isBigEndian: isBigEndian)
  }

  /// The same kernel's layout for sub-buffers of another size, or `nil` when the size is impossible.
  package func resized(to size: Int) -> SubBufferLayout? {
    guard size >= dataOffset + 32, size <= 1 << 20 else { return nil }
    var layout = self
    layout.capacity = size - dataOffset
    return layout
  }

  /// Offset and size in a line such as `field: local_t commit;	offset:8;	size:8;	signed:1;`.
  private static func field(_ name: String, in text: String) -> (offset: Int, size: Int)? {
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ";").map { $0.drop { $0 == " " || $0 == "\t" } }
      guard let declaration = parts.first, declaration.hasPrefix("field:"),
        declaration.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == ":" }).last == Substring(name)
      else { continue }
      var offset: Int?
      var size: Int?
      for part in parts.dropFirst() {
        if part.hasPrefix("offset:") { offset = Int(part.dropFirst(7)) }
        if part.hasPrefix("size:") { size = Int(part.dropFirst(5)) }
      }
      guard let offset, let size else { return nil }
      return (offset, size)
    }
    return nil
  }
}
