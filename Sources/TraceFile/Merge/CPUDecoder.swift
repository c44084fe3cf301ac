// SPDX-License-Identifier: GPL-2.0-only

/// Turns the sub-buffers of one CPU of one buffer into records, a block at a time.
///
/// Used by one thread at a time; which one does not matter.
@safe
final class CPUDecoder: @unchecked Sendable {
  private let data: CPUData
  private let buffer: UInt8
  private let layout: SubBufferLayout
  private let conversion: TimeConversion
  /// Bytes being walked, the place of their next sub-buffer, and where they are in the file.
  private var bytes: UnsafeRawBufferPointer
  private var offset = 0
  /// The place whose head was looked at.
  private var examined: Int?
  /// The sub-buffer there was too large for the last block.
  private var rest: SubBuffer.Rest?
  private var fileOffset: Int
  private var nextRun = 0
  /// The decompressed run being walked.
  private var run: ByteRegion?
  /// Loss seen on sub-buffers that had no record to carry it.
  private var pendingLoss: Int32 = 0
  /// Stamp of the last record, as it is in the file.
  private var lastStamp: UInt64 = 0
  private var counted = LostRecords()
  private var decoded: UInt64 = 0

  init(_ data: CPUData, buffer: UInt8, layout: SubBufferLayout, conversion: TimeConversion) {
    self.data = data
    self.buffer = buffer
    self.layout = layout
    self.conversion = conversion
    switch data.storage {
    case .raw(let range):
      unsafe bytes = data.region.bytes(range)
      fileOffset = range.lowerBound
      data.region.willReadSequentially(range)
    case .chunks:
      unsafe bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      fileOffset = 0
    }
  }

  private static let bytesPerBlock = 2 << 20

  /// Fills the block.
  func decode(into block: RecordBlock) {
    block.removeAll()
    if let run { block.regions.append(run) }
    let start = offset
    // Sub-buffers without records must not keep one block busy over a whole file.
    var budget = Self.bytesPerBlock
    while unsafe block.count < block.records.count, budget > 0 {
      if unsafe offset < bytes.count {
        if rest == nil { examine(block) }
        // A record behind a gap is its block's first: the merge looks for it there.
        if rest == nil, pendingLoss != 0, block.count > 0 { break }
        decodeSubBuffer(into: block)
        budget -= layout.size
      } else if !nextBytes(block) {
        end(block)
        break
      }
    }
    if case .raw = data.storage { block.source = (fileOffset + start)..<(fileOffset + offset) }
  }

  /// Looks at the head of the next sub-buffer, once.
  private func examine(_ block: RecordBlock) {
    guard examined != offset else { return }
    examined = offset
    let end = unsafe min(offset + layout.size, bytes.count)
    let head = unsafe SubBuffer.head(UnsafeRawBufferPointer(rebasing: bytes[offset..<end]), layout: layout)
    noteLoss(head.lostBefore, block)
    if let stamp = head.stamp, stamp < lastStamp {
      let place = run == nil ? fileOffset + offset : fileOffset
      block.damages.append(data.region.error(at: place, .record(.timeBackwards(from: lastStamp, to: stamp))))
      noteLoss(-1, block)
    }
  }

  /// Nothing follows. Where the rest of the CPU's data is known to be missing, or was lost, the block says so.
  private func end(_ block: RecordBlock) {
    block.isLast = true
    if pendingLoss == 0, data.isCut {
      noteLoss(-1, block)
    } else if pendingLoss == 0, let all = data.counted {
      // More than there should be is no better than less.
      let missing = all.read == decoded ? 0 : all.read > decoded ? Int32(exactly: all.read - decoded) ?? -1 : -1
      noteLoss(missing, block)
      if missing >= 0, counted.uncountedGaps == 0, all.lost > counted.counted {
        noteLoss(Int32(exactly: all.lost - counted.counted) ?? -1, block)
      }
    }
    block.endsEarly = pendingLoss != 0
  }

  private func decodeSubBuffer(into block: RecordBlock) {
    let end = unsafe min(offset + layout.size, bytes.count)
    let room = unsafe UnsafeMutableBufferPointer(rebasing: block.records[block.count...])
    let content = unsafe SubBuffer.decode(
      UnsafeRawBufferPointer(rebasing: bytes[offset..<end]), layout: layout, cpu: data.cpu, buffer: buffer, from: rest,
      into: room)
    if content.count > 0 {
      lastStamp = unsafe room[content.count - 1].timestamp
      unsafe room[0].lostBefore = pendingLoss
      pendingLoss = 0
      if !conversion.isIdentity {
        for index in 0..<content.count {
          unsafe room[index].timestamp = conversion.nanoseconds(room[index].timestamp)
        }
      }
      block.count += content.count
      decoded &+= UInt64(content.count)
    }
    if let damage = content.damage {
      let place = run == nil ? fileOffset + offset + damage.offset : fileOffset
      block.damages.append(data.region.error(at: place, .record(damage.what)))
      noteLoss(-1, block)
    }
    rest = content.rest
    if rest == nil {
      offset = end
      examined = nil
    }
  }

  /// Moves on to the next run that can be decompressed; a bad one is lost.
  private func nextBytes(_ block: RecordBlock) -> Bool {
    guard case .chunks(let runs, let compression) = data.storage else { return false }
    run = nil
    offset = 0
    examined = nil
    while nextRun < runs.count {
      let next = runs[nextRun]
      nextRun += 1
      do throws(TraceFileError) {
        let region = try next.decompress(data.region, compression)
        run = region
        block.regions.append(region)
        unsafe bytes = region.bytes(0..<region.count)
        fileOffset = next.fileOffset
        return true
      } catch {
        block.damages.append(error)
        noteLoss(-1, block)
      }
    }
    unsafe bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    return false
  }

  private func noteLoss(_ loss: Int32, _ block: RecordBlock) {
    guard loss != 0 else { return }
    block.lost.note(loss)
    counted.note(loss)
    if loss < 0 || pendingLoss < 0 {
      pendingLoss = -1
    } else {
      let (sum, overflow) = pendingLoss.addingReportingOverflow(loss)
      pendingLoss = overflow ? -1 : sum
    }
  }
}
