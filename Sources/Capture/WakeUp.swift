// SPDX-License-Identifier: GPL-2.0-only

package import SystemPackage

/// A pipe that ends a `poll`: readable once somebody called `signal`.
package final class WakeUp: Sendable {
  package let readEnd: FileDescriptor
  let writeEnd: FileDescriptor

  package init() throws(CaptureError) {
    (readEnd, writeEnd) = try Pipe.make(nonBlocking: true)
  }

  deinit {
    KernelText.closeQuietly(readEnd)
    KernelText.closeQuietly(writeEnd)
  }

  /// Makes the pipe readable for good. A full pipe is readable already.
  package func signal() {
    do { _ = try writeEnd.writeAll([1]) } catch {}
  }
}
