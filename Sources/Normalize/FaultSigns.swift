// SPDX-License-Identifier: GPL-2.0-only

/// Which faults are seen to take mmap_lock, unless they are refused.
enum LockSigns {
  case none
  /// Those of user space may do with the lock of their VMA.
  case kernelFaults
  case allFaults
}

/// What a trace shows of faults, by the events it has and the kernel they are from.
struct FaultSigns {
  var locks: LockSigns
  /// The counters that a fault moves come with it; else see `KernelFacts.batchesCounters`.
  var counters: Bool
  /// The flush shows where a present page is replaced.
  var flushes: Bool
}
