// SPDX-License-Identifier: GPL-2.0-only

internal import CTraceFS
internal import Glibc
internal import SystemPackage

/// Both ends of a new pipe, close-on-exec: the recorded command must not inherit them.
enum Pipe {
  static func make(nonBlocking: Bool) throws(CaptureError) -> (read: FileDescriptor, write: FileDescriptor) {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe_create(&ends, nonBlocking ? 1 : 0) == 0 else {
      throw .file(path: "a pipe", doing: "create", Errno(rawValue: Glibc.errno))
    }
    return (FileDescriptor(rawValue: ends[0]), FileDescriptor(rawValue: ends[1]))
  }
}
