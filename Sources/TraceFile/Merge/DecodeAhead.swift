// SPDX-License-Identifier: GPL-2.0-only

internal import Glibc

/// Threads that decompress and decode blocks of records before they are wanted.
///
/// Each stream has a lane: one block is used, the other is being filled. What comes out does not depend on the threads,
/// because the blocks of a lane are filled one after the other.
final class DecodeAhead {
  private struct Work {
    var decoders: [CPUDecoder] = []
    /// Blocks to fill, first come first served; those before `next` are being filled.
    var requests: [(lane: Int, block: RecordBlock)] = []
    var next = 0
    var ready: [RecordBlock?] = []
    var isOver = false
  }

  private let work = Monitor(Work())
  private var threads: [JoinedThread] = []

  /// One thread less than CPUs: the records have to be used as well.
  static func threadCount(streams: Int) -> Int { max(1, min(sysconf(Int32(_SC_NPROCESSORS_ONLN)) - 1, streams, 8)) }

  /// `nil` when no thread can be had.
  init?(threads count: Int) {
    let work = self.work
    for _ in 0..<count { if let thread = JoinedThread({ Self.run(work) }) { threads.append(thread) } }
    if threads.isEmpty { return nil }
  }

  deinit {
    work.change { $0.isOver = true }
    for thread in threads { thread.join() }
  }

  /// The lane of one stream; its first block is begun at once.
  func lane(for decoder: CPUDecoder, block: RecordBlock) -> Lane {
    let number = work.change { work in
      work.decoders.append(decoder)
      work.ready.append(nil)
      work.requests.append((work.ready.count - 1, block))
      return work.ready.count - 1
    }
    return Lane(owner: self, number: number)
  }

  struct Lane {
    fileprivate let owner: DecodeAhead
    fileprivate let number: Int

    /// The next block of the stream; `used` is filled with what follows it. Not to be called after the last block.
    func exchange(_ used: RecordBlock) -> RecordBlock {
      owner.work.wait { work in
        guard let block = work.ready[number] else { return nil }
        work.ready[number] = nil
        if !block.isLast { work.requests.append((number, used)) }
        return block
      }
    }
  }

  private static func run(_ work: Monitor<Work>) {
    while true {
      let next: (lane: Int, block: RecordBlock, decoder: CPUDecoder)?? = work.wait { work in
        if work.isOver { return .some(nil) }
        guard work.next < work.requests.count else { return nil }
        let (lane, block) = work.requests[work.next]
        work.next += 1
        if work.next > work.requests.count / 2 {
          work.requests.removeFirst(work.next)
          work.next = 0
        }
        return .some((lane, block, work.decoders[lane]))
      }
      guard let (lane, block, decoder) = next ?? nil else { return }
      decoder.decode(into: block)
      work.change { $0.ready[lane] = block }
    }
  }
}
