// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// A page that a parent and its child come to write both.
enum ForkedPage {
  static let parent = MMID(1)
  static let child = MMID(2)
  static let page = VirtualPage(0x100)
  static let vma = PageRange(start: VirtualPage(0xf0), count: 32)

  static func record(_ sequence: UInt64, _ mm: MMID?, _ event: MMEvent) -> MMEventRecord {
    MMEventRecord(
      sequence: Sequence(sequence), time: Timestamp(nanoseconds: sequence), cpu: CPU(0), task: TaskID(1), mm: mm,
      event: event)
  }

  /// First touch, fork, the parent writes, somebody else's page, the child writes, both frames are freed.
  static let story = [
    record(0, parent, .mmCreated(.exec)), record(1, parent, .vmaMapped(vma, .anonymous, [.read, .write])),
    record(2, parent, .fault(page, .write, .anonymous(PFN(64), FolioOrder(0), replaced: false))),
    record(3, parent, .forkBegan(child: child)), record(4, parent, .forkCopied(child: child, vma)),
    record(5, parent, .forkEnded(child: child)),
    record(6, parent, .fault(page, [.write, .present], .copied(PFN(65), sinceDecision: 0))),
    record(7, parent, .fault(VirtualPage(0x101), [.write, .present], .copied(PFN(66), sinceDecision: 0))),
    record(8, child, .fault(page, [.write, .present], .quiet)), record(9, nil, .freed(PFN(64), FolioOrder(0))),
    record(10, nil, .freed(PFN(65), FolioOrder(0))),
  ]
}
