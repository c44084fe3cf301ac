// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// How many events of each kind a stream has (`script --count`).
package struct EventCounts {
  private var counts = [UInt64](repeating: 0, count: EventKind.allCases.count)

  package init() {}

  package mutating func add(_ event: MMEvent) { counts[EventKind(event).rawValue] += 1 }

  package mutating func add(contentsOf events: [MMEventRecord]) {
    var counts = counts.mutableSpan
    for event in events { counts[EventKind(event.event).rawValue] &+= 1 }
  }

  package subscript(kind: EventKind) -> UInt64 { counts[kind.rawValue] }

  package var total: UInt64 { counts.reduce(0, +) }

  /// One kind per line in the catalogue's order, kinds that occurred only, then the total.
  package var text: String {
    let rows = EventKind.allCases.filter { self[$0] > 0 }.map { ($0.name, self[$0]) } + [("total", total)]
    var table = TextTable()
    for (name, count) in rows { table.add([name, String(count)]) }
    return table.lines(indentedBy: 0).printed()
  }

  /// One JSON object: `counts` by kind, and `total`.
  package func json() throws(ReportError) -> [UInt8] {
    struct Object: Encodable {
      var counts: [String: UInt64]
      var total: UInt64
    }
    let present = EventKind.allCases.filter { self[$0] > 0 }.map { ($0.name, self[$0]) }
    return try JSONLine.encode(Object(counts: Dictionary(uniqueKeysWithValues: present), total: total))
  }
}
