// SPDX-License-Identifier: GPL-2.0-only

/// What is particular to the recording machine and its kernel's configuration, as far as raw entries show it.
public struct Machine: Sendable, Equatable {
  public enum Architecture: Sendable, Equatable {
    case x86, arm64
    /// Page table entries are not understood.
    case other
  }

  public var architecture: Architecture
  /// The swap type of a read-only, shared migration entry (`SWP_MIGRATION_READ`); read-exclusive and write follow.
  public var readMigrationType: UInt64
  /// Bits of a frame number within a migration entry (`SWP_PFN_BITS`); young and dirty follow.
  public var frameBits: UInt64

  /// A kernel without `CONFIG_DEVICE_PRIVATE`, since 6.2.
  public static let x86 = Machine(architecture: .x86, readMigrationType: 28, frameBits: 34)

  public init(architecture: Architecture, readMigrationType: UInt64, frameBits: UInt64) {
    self.architecture = architecture
    self.readMigrationType = readMigrationType
    self.frameBits = frameBits
  }

  /// `machine` as `uname -m` prints it, `configuration` with names such as `CONFIG_DEVICE_PRIVATE`, as far as it is
  /// known. Swap types are given out from the highest down: markers, device memory, migration (`swap.h`).
  ///
  /// x86 is taken to run with four-level page tables (`MAX_PHYSMEM_BITS` 46).
  public init(_ machine: String, kernel: KernelFacts, configuration: [String: String]) {
    let deviceTypes = configuration["CONFIG_DEVICE_PRIVATE"] == "y" ? kernel.deviceSwapTypes : 0
    readMigrationType = 32 - kernel.markerSwapTypes - deviceTypes - 3
    switch machine {
    case "x86_64", "amd64":
      architecture = .x86
      frameBits = 46 - 12
    case "aarch64", "arm64":
      architecture = kernel.movesARM64SwapType ? .arm64 : .other
      frameBits = (configuration["CONFIG_ARM64_PA_BITS"].flatMap { UInt64($0) } ?? 52) - 12
    default:
      architecture = .other
      frameBits = 0
    }
  }
}
