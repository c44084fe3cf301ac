// SPDX-License-Identifier: GPL-2.0-only

import FoundationEssentials
import Glibc
import Report
import SystemPackage

/// The data stream: buffered, and quiet once its reader has left, so that `| head` neither kills a replay half-way nor
/// leaves a result unwritten (`StandardStreams` sees to SIGPIPE).
struct StandardOutput {
  private var pending: [UInt8] = []
  /// The reader has closed its end: it has what it wanted, nothing more is written.
  private(set) var isClosed = false

  init() {
    pending.reserveCapacity(StandardOutput.chunk + 4096)
  }

  mutating func write(_ text: String) throws(CommandError) {
    pending.append(contentsOf: text.utf8)
    if pending.count >= StandardOutput.chunk { try flush() }
  }

  mutating func write(_ bytes: [UInt8]) throws(CommandError) {
    pending.append(contentsOf: bytes)
    if pending.count >= StandardOutput.chunk { try flush() }
  }

  /// To be called at the end; nothing is written by itself.
  mutating func flush() throws(CommandError) {
    defer { pending.removeAll(keepingCapacity: true) }
    guard !isClosed else { return }
    do {
      try FileDescriptor.standardOutput.writeAll(pending)
    } catch let error as Errno where error == .brokenPipe {
      isClosed = true
    } catch {
      throw CommandError(path: "standard output", reason: "\(error)")
    }
  }

  /// Colours only for a human who has not said no (no-color.org).
  static var style: Style {
    let refuses = ProcessInfo.processInfo.environment["NO_COLOR"].map { !$0.isEmpty } ?? false
    return Style(isColoured: isatty(STDOUT_FILENO) == 1 && !refuses)
  }

  private static let chunk = 1 << 16
}
