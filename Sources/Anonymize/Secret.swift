// SPDX-License-Identifier: GPL-2.0-only

import Glibc
import TraceFile

/// 128 random bits. What a capture's pseudonyms are made from; without it they lead back to nothing.
package struct Secret: Sendable {
  private let words: (UInt64, UInt64)

  package init(_ words: (UInt64, UInt64)) { self.words = words }

  /// A new one, for one capture.
  package static func random() -> Secret {
    var generator = SystemRandomNumberGenerator()
    return Secret((generator.next(), generator.next()))
  }

  /// The number of a file's bytes.
  package static let bytes = 16

  /// From a file of 16 bytes.
  package init(contentsOf path: String) throws(AnonymizeError) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
    guard descriptor >= 0 else { throw AnonymizeError(path: path, reason: unsafe String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: Self.bytes + 1)
    let count = unsafe read(descriptor, &buffer, buffer.count)
    guard count == Self.bytes else {
      throw AnonymizeError(path: path, reason: "a key is 16 random bytes: head -c 16 /dev/urandom >FILE")
    }
    func word(_ start: Int) -> UInt64 { buffer[start..<(start + 8)].reduce(0) { $0 << 8 | UInt64($1) } }
    words = (word(0), word(8))
  }

  /// 64 bits that nobody can tell from random ones.
  func hash(_ purpose: String, _ text: String) -> UInt64 {
    var hash = KeyedHash(key: words)
    hash.add(purpose)
    hash.add(text)
    return hash.value()
  }

  /// Random numbers: the same for the same purpose.
  func generator(_ purpose: String) -> Generator { Generator(secret: self, purpose: purpose, count: 0) }

  struct Generator: RandomNumberGenerator {
    fileprivate let secret: Secret
    fileprivate let purpose: String
    fileprivate var count: UInt64

    mutating func next() -> UInt64 {
      count += 1
      return secret.hash(purpose, String(count))
    }
  }
}

/// Why a capture cannot be anonymized: which file, and what is wrong with it.
package struct AnonymizeError: Error, CustomStringConvertible {
  package var path: String
  package var reason: String

  package var description: String { "\(path): \(reason)" }
}
