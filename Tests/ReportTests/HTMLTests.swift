// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay
import Testing

@testable import Report

@Suite("HTML")
struct HTMLTests {
  @Test("The file needs nothing else: no script, no link, no image")
  func selfContained() {
    let html = HTMLReport().render(Sample.rich)
    for forbidden in ["<script", "<link", "<img", "http:", "https:", "url(", "@import"] {
      #expect(!html.contains(forbidden), "\(forbidden)")
    }
    #expect(html.contains("prefers-color-scheme: dark"))
  }

  @Test("Names from a trace cannot become markup, in pictures neither")
  func escaping() {
    let history = [
      HistoryEntry(
        sequence: Sequence(1), time: Timestamp(nanoseconds: 0), task: TaskID(1), today: "none", text: "<b>\"&'<i>")
    ]
    var result = Sample.result([Sample.divergence(.aAndEager, history: history)], name: "<script>alert(1)</script>")
    result.timeline = Sample.timeline
    let html = HTMLReport(tool: "<b>").render(result, comparedWith: result)
    #expect(!html.contains("<script"))
    #expect(!html.contains("<b>") && !html.contains("<i>"))
    #expect(html.contains("&lt;b&gt;&quot;&amp;&#39;&lt;i&gt;"))
  }

  @Test("Each divergence folds, with its history inside")
  func histories() {
    let html = HTMLReport().render(
      Sample.result([Sample.divergence(.cStrict), Sample.divergence(.aAndEager, .better)]))
    #expect(html.matches(of: /<details>/).count == 2)
    #expect(html.matches(of: /r D PAE- r D \+  fork: shared, P/).count == 2)
  }

  @Test("Every element ends where it should", arguments: [false, true])
  func elements(compared: Bool) {
    let html = HTMLReport().render(Sample.rich, comparedWith: compared ? Sample.rich : nil)
    var open: [Substring] = []
    for match in html.matches(of: /<(\/?)([a-z0-9]+)[^<>]*?(\/?)>/) where !["meta"].contains(match.2) {
      if match.3 == "/" { continue }
      if match.1.isEmpty { open.append(match.2) } else { #expect(open.popLast() == match.2) }
    }
    #expect(open.isEmpty)
  }

  @Test("Six pictures, or twelve of two results, each with a title and a description that its SVG names")
  func pictures() {
    for (html, count) in [
      (HTMLReport().render(Sample.rich), 6), (HTMLReport().render(Sample.rich, comparedWith: Sample.rich), 12),
    ] {
      let named = html.matches(of: /<svg role="img" aria-labelledby="([a-z0-9-]+) ([a-z0-9-]+)"/)
      #expect(named.count == count)
      for name in named {
        #expect(html.matches(of: try! Regex("<title id=\"\(name.1)\">[^<]+</title>")).count == 1)
        #expect(html.matches(of: try! Regex("<desc id=\"\(name.2)\">[^<]+</desc>")).count == 1)
      }
    }
    #expect(HTMLReport().render(Sample.result()).matches(of: /<svg/).isEmpty)
  }

  @Test("A stair over the time axis: 0, 128, 1,280, 64 bytes on a scale of 2 KiB, each for a quarter of the time")
  func stair() {
    let html = HTMLReport().render(Sample.rich)
    // 128 is a sixteenth of the height of 1,000 (62.5), 64 half of that; y counts from the top.
    #expect(html.contains("d=\"M0 1000V1000H2500V937H5000V375H7500V969H10000V1000Z\""))
    #expect(html.contains("<span>2 KiB</span><span>1 KiB</span><span>0 B</span>"))
    #expect(html.contains("at most 1,280 (after 1.5 s), 64 at the end."))
    // Two seconds, in steps of half a one.
    for label in ["0 s", "0.5 s", "1 s", "1.5 s", "2 s"] { #expect(html.contains(">\(label)</span>")) }
  }

  @Test("States lie on each other, forks are marked at the end of their stretch, losses shade theirs")
  func pages() {
    let html = HTMLReport().render(Sample.rich)
    // 10, 300, 20 and 70 pages in all, on a scale of 500: 20, 600, 40 and 140 of 1,000.
    #expect(html.contains("class=\"area s6\" d=\"M0 1000V980H2500V400H5000V960H7500V860H10000V1000Z\""))
    // The lowest: exclusive ones.
    #expect(html.contains("class=\"area s1\" d=\"M0 1000V980H2500V600H5000V1000H7500V920H10000V1000Z\""))
    #expect(html.contains("class=\"rug\" d=\"M5000 0V70M10000 0V70\""))
    // The third stretch, in which a CPU was missing, and the fourth, in which it came back.
    #expect(html.contains("class=\"gap\" d=\"M5000 0H7500V1000H5000ZM7500 0H10000V1000H7500Z\""))
    #expect(html.contains("3 forks."))
  }

  @Test("Rates are a second's: 30 copies in half a second are 60/s; divergences are summed up")
  func rates() {
    let html = HTMLReport().render(Sample.rich)
    #expect(html.contains("<span>100/s</span><span>50/s</span><span>0/s</span>"))
    #expect(html.contains("class=\"line s2\" d=\"M0 1000H2500V400H5000V980H7500V1000H10000\""))
    #expect(html.contains("Write faults: 31 copied a page, 5 kept it."))
    #expect(html.contains("Entries that came to hold a verdict: A-and-eager: 1 possible."))
  }

  @Test("What the capture cannot show has no picture")
  func notObservable() {
    var result = Sample.rich
    result.capture.capabilities.remove(.pageFaults)
    result.timeline?.gauges[.pageTables] = nil
    result.timeline?.gauges[.bitmapBytes] = nil
    let html = HTMLReport().render(result)
    #expect(html.matches(of: /<svg/).count == 2)
    #expect(html.contains(Markup.escaped(Capability.pageFaults.description.consequence)))
  }

  @Test("Two results: what is new, gone, grown and shrunk, and each proposal's word in both")
  func comparison() {
    let old = Sample.result([Sample.divergence(.cStrict, count: 3), Sample.divergence(.b, rule: .b1)], name: "old.cow")
    let found = [
      Sample.divergence(.cStrict, count: 5), Sample.divergence(.aAndLazy, rule: .a1),
      Sample.divergence(.cRaw, count: 9),
    ]
    let new = Sample.result(found, name: "new.cow")
    let html = HTMLReport().render(old, comparedWith: new)
    for change in ["new", "gone", "grown"] { #expect(html.contains("<th scope=\"row\">\(change)</th>")) }
    #expect(!html.contains("<th scope=\"row\">shrunk</th>"))
    #expect(html.contains("<title>cowscope: old.cow and new.cow</title>"))
    #expect(html.contains("<th scope=\"col\">old.cow</th><th scope=\"col\">new.cow</th>"))
    #expect(html.contains("Divergences by signature; 0 signatures unchanged"))
    // An instrument is compared where it is named.
    #expect(!html.contains("UNSAFE C-raw"))
    var named = new
    named.named = [.cRaw]
    #expect(HTMLReport().render(named, comparedWith: named).contains("1 signature unchanged"))
  }

  @Test("Processes by name and pid, or by their mm, and whose fork they are")
  func processes() {
    let html = HTMLReport().render(Sample.rich)
    for (name, cells) in [
      ("redis-server(4711)", ["mm1", "", "3", "31", "5"]), ("mm2", ["mm2", "redis-server(4711)", "1", "0", "0"]),
    ] {
      let row = "<th scope=\"row\">\(name)</th>" + cells.map { "<td>\($0)</td>" }.joined()
      #expect(html.contains(row), "\(name)")
    }
    #expect(!HTMLReport().render(Sample.result()).contains("id=\"processes\""))
  }

  // — colours

  private func colours(_ block: Substring) -> [String: [Double]] {
    var colours: [String: [Double]] = [:]
    for match in block.matches(of: /--([a-z0-9]+): #([0-9a-f]{6})/) {
      let value = UInt32(match.2, radix: 16) ?? 0
      colours[String(match.1)] = [value >> 16, value >> 8 & 255, value & 255].map { Double($0) / 255 }
    }
    return colours
  }

  /// WCAG 2.
  private func contrast(_ a: [Double], _ b: [Double]) -> Double {
    func linear(_ channel: Double) -> Double {
      // ((c + 0.055) / 1.055) ** 2.4, as exp and log would have it.
      guard channel > 0.03928 else { return channel / 12.92 }
      let base = (channel + 0.055) / 1.055
      return base * base * fifthRoot(base * base)
    }
    func fifthRoot(_ value: Double) -> Double {
      var root = 1.0
      for _ in 0..<60 { root -= (root * root * root * root * root - value) / (5 * root * root * root * root) }
      return root
    }
    func luminance(_ c: [Double]) -> Double { 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]) }
    let (x, y) = (max(luminance(a), luminance(b)), min(luminance(a), luminance(b)))
    return (x + 0.05) / (y + 0.05)
  }

  @Test("Text stands out from its ground by 4.5, lines of pictures by 3, in the light and in the dark")
  func contrasts() throws {
    let blocks = HTMLReport.styleSheet.components("@media")
    #expect(abs(contrast([0, 0, 0], [1, 1, 1]) - 21) < 0.01)
    for scheme in [colours(blocks[0]), colours(blocks[1])] {
      let ground = try #require(scheme["ground"])
      for name in ["text", "faint", "bad", "warn", "good", "link"] {
        #expect(contrast(try #require(scheme[name]), ground) >= 4.5, "\(name)")
      }
      for name in ["text", "faint"] {
        #expect(contrast(try #require(scheme[name]), try #require(scheme["box"])) >= 4.5, "\(name)")
      }
      for number in 1...6 { #expect(contrast(try #require(scheme["s\(number)"]), ground) >= 3, "s\(number)") }
    }
  }
}

extension String {
  fileprivate func components(_ separator: String) -> [Substring] { split(separator: separator) }
}

@Suite("Scales of pictures")
struct ChartScaleTests {
  @Test(
    "Up to 1, 2 or 5 times a power of ten",
    arguments: [(0.0, 1.0), (1, 1), (1.1, 2), (3, 5), (5, 5), (5.5, 10), (44_819, 50_000), (0.3, 0.5), (1000, 1000)])
  func round(greatest: Double, top: Double) { #expect(abs(ChartScale(.count, upTo: greatest).top - top) < 1e-9) }

  @Test("Labels are short")
  func labels() {
    #expect(ChartScale(.count, upTo: 44_819).labels == ["50k", "25k", "0"])
    #expect(ChartScale(.count, upTo: 0).labels == ["1", "0.5", "0"])
    #expect(ChartScale(.perSecond, upTo: 1_999_999).labels == ["2M/s", "1M/s", "0/s"])
    #expect(ChartScale(.bytes, upTo: 7_808).labels == ["8 KiB", "4 KiB", "0 B"])
    #expect(ChartScale(.count, upTo: 250).labels == ["500", "250", "0"])
    #expect(ChartScale(.count, upTo: 2.4).labels == ["5", "2.5", "0"])
  }

  @Test("Ticks of time: six at most, the first at 0, none beyond the end")
  func ticks() {
    for span in [1000.0, 65_536_000, 1e9, 24.1e9, 3.6e12] {
      let ticks = TimeAxis(span: span).ticks
      #expect((2...6).contains(ticks.count) && ticks.first?.position == 0 && (ticks.last?.position ?? 2) <= 1)
    }
    #expect(TimeAxis(span: 24.1e9).ticks.map(\.label) == ["0 s", "5 s", "10 s", "15 s", "20 s"])
    #expect(TimeAxis(span: 65_536_000).ticks.map(\.label) == ["0 ms", "20 ms", "40 ms", "60 ms"])
  }
}
