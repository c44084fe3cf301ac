// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay
import Testing

/// What docs/how-to.md promises to whoever adds an encoding.
struct NewEncodingTests {
  private func selection(_ encoding: any Encoding.Type) -> LitmusRunner.Selection {
    var selection = LitmusRunner.Selection()
    selection.registry = EncodingRegistry.all + [encoding]
    selection.encodings = [encoding.id]
    return selection
  }

  @Test("One file and one registry line: every example that all encodings have to pass runs, and passes")
  func complete() throws {
    let scenarios = try LitmusLibrary.load(directory: LitmusFixtures.directory)
    let results = scenarios.flatMap { LitmusRunner.run($0, selection(SoftwareBit.self)) }
    #expect(results.count > 40)
    #expect(results.filter { !$0.passed }.map(\.name) == [])
  }

  @Test("A site that the first draft forgets is a line that names the step")
  func firstDraft() throws {
    let story = """
      example X "fork"
      verdict *: OK
      process P
      vma P 0..15
      P writes 0
      fork P -> Q
      """
    let results = try LitmusParser.parse(story, file: "x.litmus").flatMap {
      LitmusRunner.run($0, selection(ForgetsTheChild.self))
    }
    #expect(
      results.flatMap(\.failures).map(\.description) == [
        "[7.3] line 6, after 'fork P -> Q': Q0: expected OK, or to be named, "
          + "got UNSAFE (#0.0 rDS+; baseline #0.0 rDS-)"
      ])
  }

  @Test("A trace is replayed with it too")
  func lockstep() {
    var lockstep = Lockstep(
      [.baseline, SoftwareBit.id], facts: .v7_3, registry: EncodingRegistry.all + [SoftwareBit.self])
    let page = VirtualPage(512)
    let context = JudgingContext(sequence: Sequence(1), time: Timestamp(nanoseconds: 1), transition: .fork)
    for operation in [
      Operation.createMM(MMID(0), .exec), .anonymousFault(MMID(0), page, FolioOrder(0), .anonymous),
      .forkBegin(parent: MMID(0), child: MMID(1)),
      .forkCopy(parent: MMID(0), child: MMID(1), PageRange(start: page, count: 1), .anonymous),
      .forkEnd(parent: MMID(0), child: MMID(1)),
    ] {
      lockstep.apply(operation, context)
    }
    #expect(lockstep.findings.map(\.log.encoding) == [SoftwareBit.id])
    #expect((lockstep.findings.first?.log.checks ?? 0) > 0)
    #expect(lockstep.findings.first?.log.signatures.count == 0)
  }
}

/// The same encoding as its author might first write it.
private enum ForgetsTheChild: Encoding {
  static let id = EncodingID("E")
  static let description = EncodingDescription("(E) a software bit of the PTE, first draft")

  static func claim(_ world: World<Self>, _ ref: EntryRef, _ entry: Entry) -> Claim {
    entry.kind == .present && entry.exclusiveMark ? .exclusive : .shared
  }

  static func installedExclusive(_ world: inout World<Self>, _ ref: EntryRef, _ site: InstallSite) {
    mark(&world, ref, true)
  }

  static func reused(_ world: inout World<Self>, _ ref: EntryRef, _ site: ReuseSite) { mark(&world, ref, true) }

  static func sharedAtFork(_ world: inout World<Self>, parent: EntryRef, child: EntryRef) {
    mark(&world, parent, false)
  }

  static func devicePrivateReadOnly(_ world: inout World<Self>, _ ref: EntryRef, exclusive: Bool) {}

  private static func mark(_ world: inout World<Self>, _ ref: EntryRef, _ isExclusive: Bool) {
    var entry = world.memory.entry(ref)
    entry.exclusiveMark = isExclusive
    world.update(entry, at: ref)
  }
}
