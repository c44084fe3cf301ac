// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@Suite("Text from elsewhere")
struct PrintableTextTests {
  @Test(
    "What a terminal obeys becomes visible, the rest stays",
    arguments: [
      ("plain: 100% ~", "plain: 100% ~"), ("Zürich 東京", "Zürich 東京"), ("a\nb\tc\r", "a\\nb\\tc\\r"),
      ("\u{1b}[2J", "\\u{1b}[2J"), ("\u{9b}31m", "\\u{9b}31m"), ("\u{7f}\0", "\\u{7f}\\u{0}"),
      // Written backwards, "exe.txt" reads as another name.
      ("a\u{202e}b", "a\\u{202e}b"), ("\r\n", "\\r\\n"), ("e\u{301}\u{1b}\u{301}", "e\u{301}\\u{1b}\u{301}"),
    ])
  func printable(text: String, expected: String) { #expect(text.printable == expected) }

  @Test("A line stays one line, and keeps only the given colours")
  func lines() {
    let red = "\u{1b}[31m"
    #expect(["\(red)a\n\u{1b}[8mb", "c"].printed(colours: [red]) == "\(red)a\\n\\u{1b}[8mb\nc\n")
    #expect([red].printed() == "\\u{1b}[31m\n")
  }
}
