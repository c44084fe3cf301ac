// SPDX-License-Identifier: GPL-2.0-only

/// The records of one CPU of one buffer, one sub-buffer at a time.
@safe
final class CPUStream {
  let cpu: UInt16
  let buffer: UInt8
  private let data: CPUData
  private let layout: SubBufferLayout
  private let conversion: TimeConversion
  private let room: UnsafeMutableBufferPointer<RawRecord>
  private var head = 0
  private var count = 0
  /// Bytes being walked, the place of their next sub-buffer, and where they are in the file.
  private var bytes: UnsafeRawBufferPointer
  private var offset = 0
  private var fileOffset: Int
  private var nextChunk = 0
  private var chunk: ByteRegion?
  /// Loss seen on sub-buffers that had no record to carry it.
  private var pendingLoss: Int32 = 0
  /// Loss the whole CPU has shown so far.
  private(set) var lost = LostRecords()

  init(_ data: CPUData, buffer: UInt8, layout: SubBufferLayout, conversion: TimeConversion) {
    cpu = data.cpu
    self.buffer = buffer
    self.data = data
    self.layout = layout
    self.conversion = conversion
    unsafe room = UnsafeMutableBufferPointer.allocate(capacity: layout.maximumRecords)
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

  deinit { unsafe room.deallocate() }

  /// Decoded records not taken yet.
  var pending: UnsafeBufferPointer<RawRecord> {
    unsafe UnsafeBufferPointer(rebasing: UnsafeBufferPointer(room)[head..<count])
  }

  func take(_ number: Int) { head += number }

  /// Decodes sub-buffers until there are records; `false` at the end. Decompressed bytes that records already handed
  /// out may still point into go to `retired`.
  func refill(damages: inout DamageLog, retired: inout [ByteRegion]) -> Bool {
    while true {
      guard unsafe offset < bytes.count else {
        guard nextBytes(damages: &damages, retired: &retired) else { return false }
        continue
      }
      let end = unsafe min(offset + layout.size, bytes.count)
      let content = unsafe SubBuffer.decode(
        UnsafeRawBufferPointer(rebasing: bytes[offset..<end]), layout: layout, cpu: cpu, buffer: buffer, into: room)
      noteLoss(content.lostBefore)
      head = 0
      count = content.count
      if count > 0 {
        unsafe room[0].lostBefore = pendingLoss
        pendingLoss = 0
        convertTimes()
      }
      if let damage = content.damage {
        let place = chunk == nil ? fileOffset + offset + damage.offset : fileOffset
        damages.add(data.region.error(at: place, .record(damage.what)))
        noteLoss(-1)
      }
      offset = end
      if count > 0 { return true }
    }
  }

  /// Moves on to the next chunk that can be decompressed; a bad one is lost.
  private func nextBytes(damages: inout DamageLog, retired: inout [ByteRegion]) -> Bool {
    guard case .chunks(let chunks, let compression) = data.storage else { return false }
    if let old = chunk { retired.append(old) }
    chunk = nil
    while nextChunk < chunks.count {
      let next = chunks[nextChunk]
      nextChunk += 1
      do throws(TraceFileError) {
        let region = try TraceDat.decompress(
          data.region, next.range, next.uncompressedSize, compression, place: next.range.lowerBound)
        chunk = region
        unsafe bytes = region.bytes(0..<region.count)
        offset = 0
        fileOffset = next.range.lowerBound
        return true
      } catch {
        damages.add(error)
        noteLoss(-1)
      }
    }
    unsafe bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    offset = 0
    return false
  }

  private func noteLoss(_ loss: Int32) {
    guard loss != 0 else { return }
    lost.note(loss)
    if loss < 0 || pendingLoss < 0 {
      pendingLoss = -1
    } else {
      let (sum, overflow) = pendingLoss.addingReportingOverflow(loss)
      pendingLoss = overflow ? -1 : sum
    }
  }

  private func convertTimes() {
    guard !conversion.isIdentity else { return }
    for index in 0..<count { unsafe room[index].timestamp = conversion.nanoseconds(room[index].timestamp) }
  }
}

/// Loss of one CPU over a whole capture, as the ring buffer's flags and the file's damages show it. Loss at the very end
/// shows in neither.
package struct LostRecords: Equatable, Sendable {
  /// Records the kernel counted as lost.
  package var counted: UInt64 = 0
  /// Gaps of unknown size.
  package var uncountedGaps: UInt64 = 0

  package init() {}

  package var isNone: Bool { counted == 0 && uncountedGaps == 0 }

  mutating func note(_ loss: Int32) {
    if loss < 0 { uncountedGaps += 1 } else { counted += UInt64(loss) }
  }
}
