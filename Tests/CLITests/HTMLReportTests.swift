// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import TestSupport
import Testing

/// The page of `report --html`, as a user gets it and as a browser sees it.
@Suite("HTML pages of captures")
struct HTMLReportTests {
  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "fixtures")

  private static func path(_ fixture: String) -> String { fixtures.appending(path: fixture).path }

  @Test("Two captures on one page")
  func comparison() throws {
    let (old, new) = (Self.path("captures/6.1-tour"), Self.path("captures/6.12-tour"))
    let page = try Invocation("report", "--html", "-", old, new)
    #expect(page.status == 0 && page.talk == "")
    #expect(page.output.contains("<title>cowscope: \(old) and \(new)</title>"))
    #expect(page.output.matches(of: /<svg role="img"/).count == 12)
    #expect(page.output.contains("<h2 id=\"compared\">Compared</h2>"))
    let one = try Invocation("report", "--html", "-", new)
    #expect(one.output.matches(of: /<svg role="img"/).count == 6 && !one.output.contains("id=\"compared\""))
  }

  @Test("A second capture without a page to compare them on is a usage error")
  func usage() throws {
    let run = try Invocation("report", Self.path("captures/6.1-tour"), Self.path("captures/6.12-tour"))
    #expect(run.status == 64 && run.output == "")
    #expect(run.talk.hasPrefix("cowscope: a second capture is compared on the page of --html\n"))
  }

  private static let hasBrowser =
    ["chromium", "python3"].allSatisfy { FileManager.default.isExecutableFile(atPath: "/usr/bin/\($0)") }

  @Test(
    "In a browser, at 360, 800 and 1280 px, light and dark: nothing to complain of",
    .enabled(if: hasBrowser, "no chromium and python3 here"))
  func browser() throws {
    let scratch = try Scratch()
    let tool = Self.fixtures.deletingLastPathComponent().appending(path: "tools/check-html").path
    let pages = [
      ["captures/6.12-tour"], ["captures/6.18-shell", "captures/6.12-pins"], ["captures/6.12-arm64-tour.dat"],
    ]
    var files: [String] = []
    for fixtures in pages {
      let page = try Invocation(["report", "--html", "-"] + fixtures.map(Self.path))
      #expect(page.status == 0 || page.status == 3)
      files.append(try scratch.write(page.output, to: "\(files.count).html"))
    }
    let check = try Invocation(shell: "'\(tool)' \(files.map { "'\($0)'" }.joined(separator: " "))")
    #expect(check.status == 0 && check.output == "", "\(check.output)\(check.talk)")
    // It does find what is wrong.
    let bad = try scratch.write("<!doctype html><p style='color:#999;width:900px'>faint", to: "bad.html")
    let found = try Invocation(shell: "'\(tool)' '\(bad)'")
    #expect(found.status == 1)
    for complaint in ["360 px, light: the page is", "contrast 2.85", "not one main", "no language"] {
      #expect(found.output.contains(complaint), "\(complaint)")
    }
  }
}
