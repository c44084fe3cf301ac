// SPDX-License-Identifier: GPL-2.0-only

import Glibc

/// The three descriptors that every program has, or should.
enum StandardStreams {
  /// Before anything is opened.
  static func prepare() {
    // One that was closed would be the next file opened, and what is printed would land in a capture. In its place
    // stands a descriptor that refuses, in the wrong direction on purpose.
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
      let direction = descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY
      _ = unsafe open("/dev/null", direction)
    }
    // A reader that leaves is an error to handle, not a death. A handler and not SIG_IGN: the recorded command must
    // not inherit it.
    signal(SIGPIPE) { _ in }
    // A limit on the size of files too: the write fails with EFBIG.
    signal(SIGXFSZ) { _ in }
  }
}
