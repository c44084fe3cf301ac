// SPDX-License-Identifier: GPL-2.0-only

/// `ma_write` as the kernel prints it, which names few of its values:
///
///     mas_store_prealloc	Node 00000000d2 (0 18446744073709551615) range:4096-8191 piv (0) val 000000006940cbe5
struct MapleWrite {
  private var numbers: [String: UInt64] = [:]
  private var function: TextLine

  /// `nil` for other forms, such as that of `trace-cmd report -R`.
  init?(_ body: TextLine) {
    guard let tab = body.firstIndex(of: UInt8(ascii: "\t")), let node = body.value(of: "Node"),
      let range = body.value(of: "range"), let piv = body.value(of: "piv"), let val = body.value(of: "val"),
      let open = body.firstIndex(of: UInt8(ascii: "("), from: node),
      let space = body.firstIndex(of: UInt8(ascii: " "), from: open),
      let dash = body.firstIndex(of: UInt8(ascii: "-"), from: range)
    else { return nil }
    function = body[0..<tab]
    numbers["node"] = body.number(at: node, radix: 16)
    numbers["min"] = body.number(at: open + 1, radix: 10)
    numbers["max"] = body.number(at: space + 1, radix: 10)
    numbers["index"] = body.number(at: range, radix: 10)
    numbers["last"] = body.number(at: dash + 1, radix: 10)
    numbers["piv"] = body.number(at: piv + 1, radix: 10)
    numbers["val"] = body.number(at: val, radix: 16)
  }

  func append(_ field: CanonicalEvent.Field, to arena: PayloadArena) -> Bool {
    if field.name == "fn" {
      arena.append(function, padTo: 0)
      return true
    }
    guard let value = numbers[field.name] else { return false }
    arena.append(value)
    return true
  }
}
