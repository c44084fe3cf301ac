// SPDX-License-Identifier: GPL-2.0-only

import Pipeline
import Testing

@Suite("Where results of many captures lie")
struct ResultPlaceTests {
  @Test(
    "A name is one component of a path",
    arguments: [
      ("6.18.44-fc-v782", "6.18.44-fc-v782"), ("6.1.0+rt_2", "6.1.0+rt_2"), ("", "%00"), (".", "%2E"),
      ("..", "%2E%2E"), ("a..b", "a.%2Eb"), ("../../etc/x", "%2E%2E%2F.%2E%2Fetc%2Fx"), ("a\nb", "a%0Ab"),
      ("100%", "100%25"), ("host=1", "host%3D1"), ("ü", "%C3%BC"), ("a b", "a%20b"),
    ])
  func names(name: String, directory: String) {
    #expect(ResultPlace.directoryName(name) == directory)
  }

  @Test("Long names are cut, and stay apart")
  func long() {
    let names = ["x", "y"].map { ResultPlace.directoryName(String(repeating: "a", count: 5000) + $0) }
    #expect(names[0] != names[1])
    #expect(names.allSatisfy { $0.utf8.count == 200 && $0.hasPrefix("aaaa") })
  }
}
