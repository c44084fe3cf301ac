// SPDX-License-Identifier: GPL-2.0-only

internal import CTraceFS
internal import CZlib
internal import Glibc
package import TraceFile

/// What the host is and how its memory management is set, as far as replaying needs it.
package enum HostFacts {
  /// Settings under which a fault, a fork or a reclaim takes another path. Names without `CONFIG_`.
  package static let configNames: Set<String> = [
    "MEMCG", "TRANSPARENT_HUGEPAGE", "TRANSPARENT_HUGEPAGE_ALWAYS", "TRANSPARENT_HUGEPAGE_MADVISE", "KSM", "SWAP",
    "ZSWAP", "USERFAULTFD", "PTE_MARKER_UFFD_WP", "MEM_SOFT_DIRTY", "PT_RECLAIM", "PAGE_MAPCOUNT",
    "NO_PAGE_MAPCOUNT", "PER_VMA_LOCK", "LRU_GEN", "HUGETLB_PAGE", "COMPACTION", "MIGRATION", "NUMA",
    "NUMA_BALANCING", "MEMORY_FAILURE", "DEVICE_PRIVATE", "DEBUG_VM", "PREEMPT_DYNAMIC", "PREEMPT", "HZ",
    "X86_64", "ARM64", "ARM64_4K_PAGES", "ARM64_16K_PAGES", "ARM64_64K_PAGES", "ARM64_PA_BITS",
    "PGTABLE_LEVELS",
  ]

  /// Single files whose value is recorded.
  private static let knobFiles = [
    "/proc/swaps", "/proc/sys/vm/overcommit_memory", "/proc/sys/vm/overcommit_ratio", "/proc/sys/vm/swappiness",
    "/proc/sys/vm/unprivileged_userfaultfd", "/proc/sys/vm/memfd_noexec", "/proc/sys/vm/compaction_proactiveness",
    "/proc/sys/kernel/numa_balancing", "/proc/sys/kernel/randomize_va_space",
    "/sys/devices/system/clocksource/clocksource0/current_clocksource", "/sys/kernel/mm/lru_gen/enabled",
    "/sys/kernel/mm/swap/vma_ra_enabled", "/sys/module/zswap/parameters/enabled",
  ]

  /// Directories whose files are all recorded, with what is below them.
  private static let knobDirectories = [
    "/sys/kernel/mm/transparent_hugepage", "/sys/kernel/mm/ksm", "/sys/kernel/mm/hugepages",
  ]

  /// `uname -r`.
  package static func release() -> String {
    var name = utsname()
    unsafe uname(&name)
    return text(of: name.release)
  }

  /// The manifest of a recording that starts now.
  package static func manifest(
    recorder: String, commandLine: [String], clock: String, cpuCount: Int
  ) -> CaptureManifest {
    var name = utsname()
    unsafe uname(&name)
    var manifest = CaptureManifest(
      recorder: recorder, release: text(of: name.release), machine: text(of: name.machine),
      version: text(of: name.version), commandLine: commandLine, startTime: secondsSince1970(),
      pageSize: Int(getpagesize()), cpuCount: cpuCount, clock: clock)
    manifest.kernelConfig = kernelConfig(release: manifest.release)
    manifest.knobs = knobs()
    if manifest.kernelConfig.isEmpty {
      manifest.notes.append("neither /proc/config.gz nor /boot/config-\(manifest.release) can be read")
    }
    return manifest
  }

  package static func secondsSince1970() -> Double {
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
  }

  /// Knob files and what they hold; `memory` is the line MemTotal of /proc/meminfo.
  package static func knobs() -> [String: String] {
    var knobs: [String: String] = [:]
    func add(_ path: String) {
      if let value = KernelText.readIfPresent(path) { knobs[path] = value }
    }
    func addTree(_ directory: String) {
      for name in DirectoryListing.names(in: directory) where name != "stats" {
        let path = directory + "/" + name
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { continue }
        if status.st_mode & S_IFMT == S_IFDIR { addTree(path) } else { add(path) }
      }
    }
    knobFiles.forEach(add)
    knobDirectories.forEach(addTree)
    if let total = memory("MemTotal", inMeminfo: KernelText.readIfPresent("/proc/meminfo") ?? "") {
      knobs["/proc/meminfo MemTotal"] = "\(total) kB"
    }
    return knobs
  }

  /// A value of `/proc/meminfo` in kB.
  package static func memory(_ key: String, inMeminfo text: String) -> Int? {
    for line in text.split(separator: "\n") where line.hasPrefix(key + ":") {
      return Int(line.dropFirst(key.count + 1).split(separator: " ").first ?? "")
    }
    return nil
  }

  /// The running kernel's configuration: from the kernel itself, or what its package installed.
  static func kernelConfig(release: String) -> [String: String] {
    if let text = gunzip("/proc/config.gz") { return config(in: text) }
    return config(in: KernelText.readIfPresent("/boot/config-" + release) ?? "")
  }

  /// The settings of `configNames` in a kernel configuration: "y", "m", a number or a string; "n" when the text says
  /// "is not set".
  package static func config(in text: String) -> [String: String] {
    var values: [String: String] = [:]
    for line in text.split(separator: "\n") {
      if line.hasPrefix("CONFIG_"), let equals = line.firstIndex(of: "=") {
        let name = String(line[..<equals].dropFirst(7))
        if configNames.contains(name) { values["CONFIG_" + name] = String(line[line.index(after: equals)...]) }
      } else if line.hasPrefix("# CONFIG_"), line.hasSuffix(" is not set") {
        let name = String(line.dropFirst(9).dropLast(11))
        if configNames.contains(name) { values["CONFIG_" + name] = "n" }
      }
    }
    return values
  }

  /// The uncompressed text of a gzip file, or `nil` when there is none.
  private static func gunzip(_ path: String) -> String? {
    guard let file = unsafe gzopen(path, "rb") else { return nil }
    defer { unsafe gzclose(file) }
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = unsafe gzread(file, &chunk, UInt32(chunk.count))
      guard count >= 0 else { return nil }
      if count == 0 { return String(decoding: text, as: UTF8.self) }
      text.append(contentsOf: chunk[..<Int(count)])
    }
  }

  /// The string in a fixed array of `utsname`.
  private static func text<Array>(of field: Array) -> String {
    unsafe withUnsafeBytes(of: field) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
