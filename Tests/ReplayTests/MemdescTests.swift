// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

@Suite("Encoding D: a type of the memory descriptor")
struct MemdescTests {
  private static let id = Memdesc.id

  /// What the operation cost today's kernel and D, in atomics and cache lines.
  private func costs(_ story: inout Story, _ body: (inout Story) -> Void) throws -> [[UInt64]] {
    func now(_ story: Story) throws -> [[UInt64]] {
      let found = try #require(story.lockstep.findings.first { $0.log.encoding == Self.id })
      return [story.lockstep.baseline.costs, found.costs].map { [$0[.pageFlagAtomics], $0[.structPageLines]] }
    }
    let before = try now(story)
    body(&story)
    return zip(try now(story), before).map { now, before in zip(now, before).map { $0 - $1 } }
  }

  @Test("Every example that all encodings have to pass, passes")
  func examples() throws {
    var selection = LitmusRunner.Selection()
    selection.encodings = [Self.id]
    let results = try LitmusLibrary.load(directory: LitmusFixtures.directory).flatMap {
      LitmusRunner.run($0, selection)
    }
    #expect(results.count > 40)
    #expect(results.filter { !$0.passed }.map(\.name) == [])
  }

  @Test("It claims what today's flag claims, whatever happens", arguments: UInt64(1)...30)
  func claims(seed: UInt64) {
    var history = RandomHistory(seed: seed, withTHP: seed % 10 == 0)
    for _ in 0..<30 { history.step(freesLazily: true) }
    var story = Story([.baseline, Self.id])
    for operation in history.story.operations.dropFirst() { story.apply(operation) }
    #expect(story.log(Self.id)?.checks ?? 0 > 0)
    #expect(story.log(Self.id)?.signatures.count == 0)
  }

  @Test("It runs only where it is named")
  func named() throws {
    #expect(EncodingID.allCases.contains(Self.id) && !EncodingID.standard.contains(Self.id))
    #expect(EncodingID(rawValue: "D") == Self.id)
    let scenarios = try LitmusLibrary.load(directory: LitmusFixtures.directory)
    #expect(!LitmusRunner.run(scenarios[0]).contains { $0.configuration?.encoding == Self.id })
  }

  @Test("fork of a large folio: an atomic a page, a cache line for eight of them")
  func largeFolio() throws {
    var story = Story([.baseline, Self.id])
    let fault = try costs(&story) {
      $0.apply(.anonymousFault(Story.p, $0.page(0), FolioOrder(4), $0.vma))
    }
    #expect(fault == [[16, 16], [16, 2]])
    let fork = try costs(&story) { $0.fork(Story.p, Story.q, 0..<16) }
    #expect(fork == [[16, 16], [16, 2]])
  }

  @Test("Small folios cost what they cost today, and each operation touches its line anew")
  func smallFolios() throws {
    var story = Story([.baseline, Self.id])
    let faults = try costs(&story) { story in for page in 0..<4 { story.write(Story.p, page) } }
    #expect(faults == [[4, 4], [4, 4]])
    #expect(try costs(&story) { $0.fork(Story.p, Story.q, 0..<4) } == [[4, 4], [4, 4]])
    var large = Story([.baseline, Self.id])
    large.apply(.anonymousFault(Story.p, large.page(0), FolioOrder(4), large.vma))
    large.fork(Story.p, Story.q, 0..<16)
    large.exit(Story.q)
    // Reused page by page, in faults of their own: one line each, though all are in the same one.
    #expect(try costs(&large) { story in for page in 0..<3 { story.write(Story.p, page) } } == [[3, 3], [3, 3]])
  }

  @Test("The split of a PMD mapping writes 512 descriptors in 64 lines")
  func split() throws {
    var story = Story([.baseline, Self.id])
    story.apply(.hugeFault(Story.p, story.page(0), story.vma, write: true, isHugetlb: false))
    let split = try costs(&story) { $0.apply(.splitPMD(Story.p, $0.page(0))) }
    #expect(split == [[512, 512], [512, 64]])
  }
}
