// SPDX-License-Identifier: GPL-2.0-only

/// A file or capture directory, opened: everything but the walk over the records.
struct TraceContents {
  var formats: EventFormats
  var buffers: [BufferData] = []
  var timeConversion = TimeConversion()
  var metadata = TraceMetadata()
  var damages: [TraceFileError] = []
}

/// One ring buffer of a capture: the top-level one or an instance.
struct BufferData {
  /// Empty for the top-level buffer.
  var name: String
  var clock: String
  var layout: SubBufferLayout
  var cpus: [CPUData]

  /// What the recorder counted at its end.
  mutating func note(_ counted: CPUData.Counted, onCPU cpu: UInt16, of file: String) {
    if let index = cpus.firstIndex(where: { $0.cpu == cpu }) {
      cpus[index].counted = counted
    } else if counted.read > 0 || counted.lost > 0 {
      cpus.append(
        CPUData(cpu: cpu, region: ByteRegion(copying: [], file: file), storage: .raw(0..<0), counted: counted))
    }
  }
}

/// The sub-buffers of one CPU in one buffer.
struct CPUData {
  var cpu: UInt16
  var region: ByteRegion
  var storage: Storage
  /// There was more than is here: the recording was killed, or the file is cut off.
  var isCut = false
  /// What the recorder counted, where it says.
  var counted: Counted?

  /// `per_cpu/cpuN/stats` at the end of the recording.
  struct Counted {
    /// Records that were read out of the ring buffer: all of them are in the file.
    var read: UInt64 = 0
    /// Records that were overwritten or dropped.
    var lost: UInt64 = 0
  }

  enum Storage {
    /// Sub-buffers one after the other.
    case raw(Range<Int>)
    /// Independently compressed runs of whole sub-buffers.
    case chunks([ChunkRun], Compression)

    /// No record is shorter than 8 bytes.
    var maximumRecords: Int {
      switch self {
      case .raw(let range): range.count / 8 + 1
      case .chunks(let runs, _): runs.reduce(0) { $0 + $1.uncompressedSize } / 8 + 1
      }
    }

    var isCompressed: Bool {
      switch self {
      case .raw: false
      case .chunks: true
      }
    }

    /// Puts chunks together until each run holds whole sub-buffers.
    mutating func regroup(subBufferSize: Int) {
      guard case .chunks(let runs, let compression) = self else { return }
      self = .chunks(ChunkRun.group(runs.flatMap(\.chunks), subBufferSize: subBufferSize), compression)
    }
  }
}

/// Facts of a capture that are not records.
package struct TraceMetadata: Sendable, Equatable {
  /// `trace.dat 6`, `trace.dat 7 (zstd)`, `ftrace text`.
  package var source = ""
  /// What `uname` printed on the recording machine, if stored.
  package var kernel: String?
  /// `uname -m`, where nothing but the records tells it.
  package var machine: String?
  package var longSize = 8
  package var isBigEndian = false
  /// CPUs of the recording machine, if stored.
  package var cpuCount: Int?
  /// `per_cpu/cpuN/stats` texts as stored by trace-cmd, one per CPU.
  package var cpuStats: [String] = []
  /// Version string of the program that recorded.
  package var recorder: String?
}

/// From the stamps in the file to nanoseconds.
struct TimeConversion: Equatable {
  /// TSC2NSEC: cycles to nanoseconds; 0 when stamps are nanoseconds already.
  var multiplier: UInt32 = 0
  var shift: UInt32 = 0
  /// OFFSET and DATE, added last.
  var offset: Int64 = 0

  var isIdentity: Bool { multiplier == 0 && offset == 0 }

  func nanoseconds(_ stamp: UInt64) -> UInt64 {
    var time = stamp
    if multiplier != 0 {
      let product = stamp.multipliedFullWidth(by: UInt64(multiplier))
      time =
        shift >= 64
        ? product.high >> UInt64(shift - 64) : product.low >> UInt64(shift) | product.high << UInt64(64 - shift)
    }
    return time &+ UInt64(bitPattern: offset)
  }
}
