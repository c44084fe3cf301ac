// SPDX-License-Identifier: GPL-2.0-only

/// A seeded story of the litmus format: up to three processes on a handful of pages, small and large folios (every
/// fifth story one huge page), with whatever the kernel may do to them in between. Seeds from `firstWideSeed` on draw
/// from the rare steps too; the stories of those below stay what they were when they found something.
package struct RandomStory: Sendable {
  package let seed: UInt64
  /// The steps as text; the first ones set up.
  package let lines: [String]
  package static let firstWideSeed: UInt64 = 1_000_000
  package static let setUp = ["process P", "vma P 0..1023"]

  package init(seed: UInt64, steps: Int) {
    self.seed = seed
    var writer = RandomStoryWriter(seed: seed)
    lines = Self.setUp + (0..<steps).map { _ in writer.nextLine() }
  }

  /// As a litmus file that asks for what the check asked for.
  package static func file(_ lines: [String], seed: UInt64, without: [String] = []) -> String {
    let configurations = EncodingRegistry.sound.map { encoding in
      let own = without.filter { LitmusSwitches.names(of: encoding.id).contains($0) }
      return LitmusConfiguration(encoding.id, without: own).description
    }
    return """
      # SPDX-License-Identifier: GPL-2.0-only
      example random-\(seed) "Random steps, seed \(seed)"
      source "seed \(seed), shrunken"
      verdict \(configurations.joined(separator: " | ")): OK

      \(lines.joined(separator: "\n"))

      """
  }
}

/// Makes one line after the other; keeps only what makes a line worth trying (who lives).
private struct RandomStoryWriter {
  private var random: SplitMix64
  private var live = ["P"]
  private var exited: [String] = []
  private let pages: [Int]
  private let order: Int
  private let isWide: Bool

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    isWide = seed >= RandomStory.firstWideSeed
    let isHuge = seed % 5 == 0
    order = isHuge ? 9 : 2
    pages = isHuge ? [0, 1, 7, 511, 512] : [0, 1, 2, 3, 4, 5, 510, 511, 512, 513]
  }

  private mutating func roll(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

  mutating func nextLine() -> String {
    let process = live[roll(live.count)]
    let page = pages[roll(pages.count)]
    let site = "\(process) \(page)"
    if isWide, roll(4) == 0 { return rareLine(process, page) }
    switch roll(12) {
    case 0, 1, 2: return access(process, page)
    case 3: return fork(process)
    case 4: return layout(process, page)
    case 5: return advice(process, page)
    case 6: return reclaim(site)
    case 7: return migration(site)
    case 8:
      return ["\(process) pins \(page) read", "\(process) pins \(page) write", unpins(process, page)][roll(3)]
    case 9: return ksm(site)
    case 10: return tracking(process, page)
    default: return device(process, page)
    }
  }

  private mutating func rareLine(_ process: String, _ page: Int) -> String {
    let site = "\(process) \(page)"
    let range = "\(page)..\(page + roll(4))"
    switch roll(6) {
    case 0:
      let advice = [
        "willneed", "cold", "pageout", "wipeonfork", "keeponfork", "guard-install", "guard-remove", "populate-read",
      ]
      return "\(process) madvise \(advice[roll(advice.count)]) \(range)"
    case 1:
      return [
        "\(process) uffd-wp \(range) unpopulated", "\(process) uffd-poison \(page)", "\(process) uffd-copy \(page)",
        "\(process) uffd-copy \(page) wp", "\(process) pagemap-scan-wp \(range)",
      ][roll(5)]
    case 2:
      return [
        "split-folio \(site) underused", "memory-failure \(site)", "ksm-zero \(site)", "migration-set \(site) only",
        "unmap-to-swap \(site)", "swapout \(site) under-writeback", "collapse \(process) 0..511 order 9",
      ][roll(7)]
    case 3:
      return [
        "\(process) munmap \(range)", "\(process) mlock \(range)", "vma \(process) 1024..1535",
        "\(process) mremap 0..511 -> 1024 table", "\(process) mremap 0..511 -> 1024 pmd",
        "\(process) mremap 1024..1535 -> 0 table", "\(process) mremap 1024..1535 -> 0 pmd",
      ][roll(7)]
    case 4:
      guard let child = ["P", "Q", "R"].first(where: { !live.contains($0) }) else {
        return "\(process) pins \(page) write force"
      }
      return "fork \(process) -> \(child) fails before \(page)"
    default:
      return [
        "\(process) reads \(range)", "\(process) writes \(range)", "\(process) writes \(page) order 4",
        "\(process) uprobe \(page)", "\(process) mprotect \(range) none",
      ][roll(5)]
    }
  }

  private mutating func access(_ process: String, _ page: Int) -> String {
    switch roll(8) {
    case 0, 1, 2, 3: "\(process) writes \(page)" + data(page)
    case 4: "\(process) writes 0 order \(order)"
    case 5: "\(process) force-writes \(page)"
    default: "\(process) reads \(page)"
    }
  }

  /// KSM has something to merge: some pages are written with equal data, some with zeros.
  private func data(_ page: Int) -> String {
    switch page {
    case 2, 4, 510, 511, 512: " data same"
    case 7, 513: " data zeros"
    default: ""
    }
  }

  /// Every other time the pins of somebody who is gone are given back.
  private func unpins(_ process: String, _ page: Int) -> String {
    guard page % 2 == 1, let last = exited.last, !live.contains(last) else { return "\(process) unpins \(page)" }
    return "\(last) unpins \(page)"
  }

  private mutating func fork(_ process: String) -> String {
    if let child = ["P", "Q", "R"].first(where: { !live.contains($0) }), roll(3) > 0 {
      live.append(child)
      return "fork \(process) -> \(child)"
    }
    guard live.count > 1, roll(2) == 0 else { return "\(process) writes \(pages[roll(pages.count)])" }
    live.removeAll { $0 == process }
    exited.append(process)
    return "\(process) exits"
  }

  private mutating func layout(_ process: String, _ page: Int) -> String {
    switch roll(6) {
    case 0, 1: "\(process) mprotect \(page)..\(page + roll(4)) ro"
    case 2, 3: "\(process) mprotect \(page)..\(page + roll(4)) rw"
    case 4: "\(process) mremap \(page) -> \(pages[roll(pages.count)] + 8) ptes"
    // Where a page was moved away.
    default: "vma \(process) \(page)"
    }
  }

  private mutating func advice(_ process: String, _ page: Int) -> String {
    let advice = ["dontneed", "dontfork", "dofork", "unmergeable", "populate-write"][roll(5)]
    return "\(process) madvise \(advice) \(page)..\(page + roll(3))"
  }

  private mutating func reclaim(_ site: String) -> String {
    ["swapout \(site)", "swapout \(site) in-cache", "reclaim \(site)", "swapoff", "writeback-end \(site)"][roll(5)]
  }

  private mutating func migration(_ site: String) -> String {
    [
      "migrate \(site)", "migration-set \(site)", "restore \(site)", "split-folio \(site)", "split-pmd \(site)",
      "get-ref \(site)", "put-ref \(site)",
    ][roll(7)]
  }

  private mutating func ksm(_ site: String) -> String {
    let other = "\(live[roll(live.count)]) \(pages[roll(pages.count)])"
    return roll(3) == 0 ? "ksm-wrprotect \(site)" : "ksm-merge \(site) with \(other)"
  }

  private mutating func tracking(_ process: String, _ page: Int) -> String {
    [
      "\(process) uffd-wp \(page)", "\(process) uffd-resolve \(page)",
      "\(process) uffd-move \(page) -> \(page + 16)", "\(process) clear-refs", "numa-scan \(process) \(page)",
      "mglru-age \(process) \(page)",
    ][roll(6)]
  }

  private mutating func device(_ process: String, _ page: Int) -> String {
    [
      "to-device-private \(process) \(page)", "make-device-exclusive \(process) \(page)",
      "device-insert \(process) \(page)", "collapse \(process) 0..3 order 2", "\(process) reads \(page)",
    ][roll(5)]
  }
}
