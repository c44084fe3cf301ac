// SPDX-License-Identifier: GPL-2.0-only

import Capture
import Foundation

/// Folios of one size, and of no other, where a program asks for large ones. Suites run beside each other: one setting at a
/// time, until it is put back by the same thread.
struct LargeFolioSetting {
  private static let directory = "/sys/kernel/mm/transparent_hugepage"
  private static let turn = NSLock()
  private let before: [(path: String, choice: String)]

  static func exists(order: Int) -> Bool { KernelText.readIfPresent(path(order: order)) != nil }

  init(order: Int) throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.directory)
      .filter { $0.hasPrefix("hugepages-") }
    Self.turn.lock()
    // Some sizes are for shmem alone.
    before = names.compactMap { name in
      let path = Self.directory + "/" + name + "/enabled"
      guard let choices = KernelText.readIfPresent(path),
        let choice = choices.split(separator: "[").last?.split(separator: "]").first
      else { return nil }
      return (path, String(choice))
    }
    do {
      for (path, _) in before {
        let choice = path == Self.path(order: order) ? "madvise" : "never"
        try choice.write(toFile: path, atomically: false, encoding: .utf8)
      }
    } catch {
      putBack()
      throw error
    }
  }

  func putBack() {
    for (path, choice) in before { try? choice.write(toFile: path, atomically: false, encoding: .utf8) }
    Self.turn.unlock()
  }

  private static func path(order: Int) -> String { "\(directory)/hugepages-\(4 << order)kB/enabled" }
}
