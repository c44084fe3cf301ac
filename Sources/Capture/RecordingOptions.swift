// SPDX-License-Identifier: GPL-2.0-only

package import TraceFile

/// What to record, and how.
package struct RecordingOptions: Sendable {
  /// Whose memory is followed.
  package enum Target: Equatable, Sendable {
    /// Started by the recorder, with all its descendants.
    case command([String])
    /// Running already; with the children they have and will have.
    case processes([Int32])
    /// Everybody, until the duration is over or a signal comes.
    case host
  }

  package var target: Target
  /// Record the faults and system calls of every task, not only of the followed ones.
  package var wholeHost: Bool
  /// Whom the command runs as; `nil`: as this program does.
  package var user: CommandUser?
  package var output: String
  /// `nil`: chosen by `BufferSettings.defaultClock`.
  package var clock: String?
  /// Ring buffer of one CPU of one instance; `nil`: `BufferSettings.size`.
  package var bufferKiB: Int?
  /// 0 for none between the first and the last.
  package var snapshotMilliseconds: Int
  /// Stop a process (`SIGSTOP`) while it is looked at.
  package var freezes = false
  /// Set probes where the kernel lets us.
  package var setsProbes = true
  package var durationMilliseconds: Int?
  /// The command line of the recorder, for the manifest.
  package var commandLine: [String]
  /// Program and version, for the manifest.
  package var recorder: String

  package init(
    target: Target, wholeHost: Bool, output: String, snapshotMilliseconds: Int, commandLine: [String],
    recorder: String
  ) {
    self.target = target
    self.wholeHost = wholeHost
    self.output = output
    self.snapshotMilliseconds = snapshotMilliseconds
    self.commandLine = commandLine
    self.recorder = recorder
  }
}

/// How a recording ended.
package enum RecordingEnd: Equatable, Sendable {
  case commandEnded(CaptureManifest.CommandStatus)
  /// None of the processes given with `-p` is left.
  case processesEnded
  case durationOver
  case signal(Int32)
}

/// What a recording gave.
package struct RecordingResult: Sendable {
  package var end: RecordingEnd
  package var records = 0
  package var bytes = 0
  package var lost = 0
  package var bufferKiB = 0
  /// A buffer size that would hold such a loss with room to spare; `nil` without loss.
  package var sufficientBufferKiB: Int?
  package var snapshots = 0
  /// What somebody else did to the instances: the capture lacks what came after it.
  package var interference: [String] = []
  /// Followed processes that were still running.
  package var remaining: [Int32] = []
}
