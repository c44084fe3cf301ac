// SPDX-License-Identifier: GPL-2.0-only

import Testing
import TraceFile

@Suite("SHA-256")
struct SHA256Tests {
  /// Messages of FIPS 180-4 and of the validation suite, and lengths around the ends of a block.
  @Test(
    "What sha256sum prints",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        String(repeating: "a", count: 55), "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"
      ),
      (
        String(repeating: "a", count: 64), "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"
      ),
      (
        String(repeating: "a", count: 1000), "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"
      ),
    ])
  func vectors(message: String, digest: String) {
    var hash = SHA256()
    hash.add(Array(message.utf8))
    #expect(hash.text() == digest)
  }

  @Test("How the message comes in pieces does not matter", arguments: [1, 3, 63, 64, 65, 130])
  func pieces(length: Int) {
    let message = [UInt8](repeating: UInt8(ascii: "a"), count: 1000)
    var hash = SHA256()
    for start in stride(from: 0, to: message.count, by: length) {
      hash.add(Array(message[start..<min(start + length, message.count)]))
    }
    #expect(hash.text() == "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3")
  }
}
