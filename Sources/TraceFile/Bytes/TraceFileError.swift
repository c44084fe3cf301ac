// SPDX-License-Identifier: GPL-2.0-only

internal import SystemPackage

/// Why some bytes of a capture could not be read, and where they are.
///
/// The same type serves both outcomes: thrown when nothing useful is left (`TraceFile.open`), collected in
/// `TraceReader.damages` when the rest of the capture is still readable.
package struct TraceFileError: Error, Equatable, Sendable {
  /// Path of the file, as it was given to `open` or found in the capture directory.
  package var file: String
  /// Byte offset in `file`; in a compressed chunk, the offset of the chunk. `nil` when no byte is to blame.
  package var offset: UInt64?
  package var reason: Reason

  package init(file: String, offset: UInt64?, reason: Reason) {
    self.file = file
    self.offset = offset
    self.reason = reason
  }

  package enum Reason: Equatable, Sendable {
    /// A system call failed; the number is `errno`.
    case system(call: String, errno: Int32)
    /// Neither a trace.dat, nor ftrace text, nor a capture directory.
    case notATrace
    /// A directory without the files that make a capture.
    case notACapture
    /// A trace.dat of a version other than 6 and 7.
    case unsupportedVersion(String)
    /// A trace.dat of kind `latency`, or a compression this build cannot undo.
    case unsupported(String)
    /// The file ends inside the named item.
    case truncated(String)
    /// The named item says a length, count or offset that cannot be.
    case badLength(String, UInt64)
    /// The named item lies where another one is.
    case overlap(String)
    /// More than a file of this size can hold.
    case exceedsBudget(String)
    /// A directory entry that is neither a file nor a directory.
    case notAFile
    /// The named item is not what the format prescribes.
    case malformed(String)
    /// A ring-buffer record that cannot be: the rest of its sub-buffer was skipped.
    case record(RecordDamage)
    /// Lines of a text trace could not be read: the first one's number, and how many are like it.
    case line(number: UInt64, event: String, TextAccount.Reason, lines: UInt64)
    /// libtraceevent refused the format of the named event, with its message.
    case formatRejected(event: String, message: String)
    /// zstd or zlib refused a chunk, with its message.
    case decompression(String)
  }
}

/// What is wrong with one sub-buffer of the ring buffer.
package enum RecordDamage: Equatable, Sendable {
  /// The sub-buffer is shorter than its own header.
  case headerCut
  /// `commit` exceeds the capacity of the sub-buffer.
  case commitBeyondCapacity(UInt64)
  /// The file ends before the committed bytes do.
  case cut
  /// A record reaches beyond the committed bytes.
  case recordBeyondCommit(length: UInt64)
  /// A sub-buffer or a record is older than what comes before it.
  case timeBackwards(from: UInt64, to: UInt64)
  /// A stamp of more than 292 years.
  case impossibleTime(UInt64)
  /// A length word that is smaller than itself, or leaves no room for `common_type`.
  case lengthTooSmall(UInt64)
}

extension TraceFileError: CustomStringConvertible {
  package var description: String {
    let place = offset.map { "\(file): at byte \($0): " } ?? "\(file): "
    return place + reason.description
  }
}

extension TraceFileError.Reason: CustomStringConvertible {
  package var description: String {
    switch self {
    case .system("open", let errno): Errno(rawValue: errno).description
    case .system(let call, let errno): "\(call): \(Errno(rawValue: errno))"
    case .notATrace: "not a trace.dat, ftrace text or capture directory"
    case .notACapture: "a directory, but not a capture: neither trace.dat nor header.dat in it"
    case .unsupportedVersion(let version): "trace.dat version \(version) is not supported (6 and 7 are)"
    case .unsupported(let what): "\(what) is not supported"
    case .truncated(let what): "the file ends inside \(what)"
    case .badLength(let what, let value): "\(what) is impossible: \(value)"
    case .overlap(let what): "\(what) lies where other data are"
    case .exceedsBudget(let what): "\(what) is more than a file of this size can hold"
    case .notAFile: "not a regular file; a trace is read more than once, so pipes and devices will not do"
    case .malformed(let what): "\(what) is malformed"
    case .record(let damage): damage.description
    case .line(let number, let event, let reason, let lines):
      "line \(number): \(event): \(reason)" + (lines > 1 ? " (\(lines) lines like it)" : "")
    case .formatRejected(let event, let message): "the format of event \(event) cannot be parsed: \(message)"
    case .decompression(let message): "cannot decompress: \(message)"
    }
  }
}

extension RecordDamage: CustomStringConvertible {
  package var description: String {
    switch self {
    case .headerCut: "sub-buffer header is cut off"
    case .commitBeyondCapacity(let commit): "sub-buffer claims \(commit) committed bytes, more than it can hold"
    case .cut: "the file ends inside a sub-buffer"
    case .recordBeyondCommit(let length): "record of \(length) bytes reaches beyond the committed bytes"
    case .timeBackwards(let before, let after): "time goes backwards, from \(before) to \(after)"
    case .impossibleTime(let time): "time stamp \(time) is impossible"
    case .lengthTooSmall(let length): "record length \(length) is too small"
    }
  }
}
