// SPDX-License-Identifier: GPL-2.0-only

/// A format file, checked line by line before libtraceevent sees it.
///
/// libtraceevent trusts format files, because the kernel writes them; damaged ones make it crash. So it gets the fields
/// only when every line has the form below, and never the print fmt.
///
///     name: NAME
///     ID: NUMBER
///     format:
///     <TAB>field:DECLARATION;<TAB>offset:N;<TAB>size:N;<TAB>signed:N;
///     <blank line between the common fields and the event's own>
///     print fmt: ...
struct FormatText {
  /// The file up to the fields, with an empty print fmt.
  let fields: [UInt8]
  /// What follows `print fmt:`.
  let printFormat: [UInt8]

  init?(_ text: UnsafeRawBufferPointer) {
    var fields: [UInt8] = []
    var printFormat: [UInt8] = []
    for unsafe(number, slice) in unsafe text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .enumerated()
    {
      let line = unsafe Array(slice)
      let isGood =
        switch number {
        case 0: Self.isName(line)
        case 1: line.starts(with: "ID: ".utf8) && Self.isNumber(line.dropFirst(4), digits: 5)
        case 2: line.elementsEqual("format:".utf8)
        default: line.isEmpty || Self.isField(line)
        }
      if isGood {
        fields += line + [UInt8(ascii: "\n")]
      } else if number > 2, line.starts(with: "print fmt:".utf8) {
        printFormat = Array(line.dropFirst(10))
        break
      } else {
        return nil
      }
    }
    self.fields = fields + Array("print fmt: \"\"\n".utf8)
    self.printFormat = printFormat
  }

  private static func isName(_ line: [UInt8]) -> Bool {
    let name = line.dropFirst(6)
    return line.starts(with: "name: ".utf8) && !name.isEmpty
      && name.allSatisfy { isWord($0) || $0 == UInt8(ascii: "-") }
  }

  private static func isField(_ line: [UInt8]) -> Bool {
    let parts = line.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map { part in
      part.drop { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") }
    }
    // `signed:` came in 2.6.32; trailing text after the last `;` is empty.
    guard parts.count == 5, parts[4].isEmpty, isDeclaration(parts[0]) else { return false }
    for (part, key) in zip(parts[1...3], ["offset:", "size:", "signed:"]) {
      guard part.starts(with: key.utf8), isNumber(part.dropFirst(key.utf8.count), digits: 5) else { return false }
    }
    return true
  }

  /// `field:TYPE NAME` or `field:TYPE NAME[N]`, at least two words, brackets only in pairs with a word or nothing
  /// inside.
  private static func isDeclaration(_ part: ArraySlice<UInt8>) -> Bool {
    let keys = ["field:", "field special:"]
    guard let key = keys.first(where: { part.starts(with: $0.utf8) }) else { return false }
    var words = 0
    var inWord = false
    var inBracket = false
    for byte in part.dropFirst(key.utf8.count) {
      switch byte {
      case UInt8(ascii: "["):
        guard !inBracket, words > 0 else { return false }
        inBracket = true
        inWord = false
      case UInt8(ascii: "]"):
        guard inBracket else { return false }
        inBracket = false
        inWord = false
      case UInt8(ascii: " "), UInt8(ascii: "*"): inWord = false
      // Types of BPF and BTF origin: `typeof(...)` does not occur; `::` neither.
      case _ where isWord(byte):
        if !inWord && !inBracket { words += 1 }
        inWord = true
      case UInt8(ascii: "+"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "/"), UInt8(ascii: "-"):
        // Sizes as the compiler saw them: `cpumask[(NR_CPUS + 63) / 64]`.
        guard inBracket else { return false }
        inWord = false
      default: return false
      }
    }
    return words >= 2 && !inBracket
  }

  private static func isNumber(_ text: ArraySlice<UInt8>, digits: Int) -> Bool {
    !text.isEmpty && text.count <= digits && text.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
