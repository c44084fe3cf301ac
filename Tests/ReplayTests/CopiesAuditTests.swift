// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// Figures worked out by hand from the events that are told.
@Suite("Audit: copies")
struct CopiesAuditTests {
  @Test("Who copied what fork shared: the child, then the parent, and a page that nobody shares any more")
  func sides() throws {
    var tale = Tale(audits: [CopiesAudit.self])
    for index in 0..<4 { tale.touch(index, UInt64(10 + index)) }
    tale.fork(0..<8)
    tale.copy(Tale.q, 200, 0, 20, took: 0)
    tale.copy(Tale.q, 200, 1, 21, took: 0)
    tale.copy(Tale.p, 100, 2, 22, took: 0)
    // Q is the last to map what P copied, and P what Q copied.
    tale.at(Tale.q, 200, .fault(tale.page(2), [.write, .present], .quiet))
    tale.at(Tale.p, 100, .fault(tale.page(0), [.write, .present], .quiet))
    let audit = try tale.audit()
    #expect(audit["forks"] == 1)
    #expect(audit["shared_pages"] == 4)
    #expect(audit["copied_by_child"] == 2)
    #expect(audit["copied_by_parent"] == 1)
    #expect(audit["reused"] == 2)
    #expect(audit["bytes"] == 3 * 4096)
    #expect(audit.examples.map(\.mm) == [Tale.q, Tale.p])
  }

  @Test("A grandchild's copy is a child's while its grandparent maps the page; the kernel's count is what fork shared")
  func generations() throws {
    let r = MMID(2)
    var tale = Tale(audits: [CopiesAudit.self])
    tale.touch(0, 10)
    tale.fork(0..<8)
    tale.at(r, 200, .mmCreated(.fork))
    tale.at(Tale.q, 200, .forkBegan(child: r))
    tale.at(Tale.q, 200, .forkCopied(child: r, tale.range(0..<8)))
    tale.at(Tale.q, 200, .forkCounted(child: r, .anonymous, pages: 1))
    tale.at(Tale.q, 200, .forkEnded(child: r))
    tale.at(Tale.q, 200, .mmTeardownBegan)
    tale.at(Tale.q, 200, .mmExited)
    tale.copy(r, 300, 0, 20, took: 0)
    let audit = try tale.audit()
    #expect(audit["forks"] == 2 && audit["shared_pages"] == 2)
    #expect(audit["copied_by_child"] == 1 && audit["copied_by_parent"] == 0)
  }

  @Test("Nothing that it counts happened")
  func nothing() throws {
    var tale = Tale(audits: [CopiesAudit.self])
    tale.touch(0, 10)
    #expect(try tale.audit().isEmpty)
  }

  @Test("Without page faults in the trace no copy is counted as none")
  func notObservable() throws {
    var tale = Tale(audits: [CopiesAudit.self])
    tale.capabilities.remove(.pageFaults)
    tale.touch(0, 10)
    tale.fork(0..<8)
    let audit = try tale.audit()
    #expect(audit.figures.map(\.name) == ["forks", "shared_pages"])
    #expect(audit.notObservable == ["copied_by_child", "copied_by_parent", "reused", "bytes"])
  }
}
