// SPDX-License-Identifier: GPL-2.0-only

import Foundation

/// Told by `tools/fuzz`:
///
///     cowscope-fuzz TARGET --seed S --from I --runs N --progress FILE   runs I to I + N - 1 of a seed
///     cowscope-fuzz TARGET --seed S --from I --write FILE               the input of run I
///     cowscope-fuzz TARGET --corpus DIRECTORY                           writes what inputs are made from
///     cowscope-fuzz TARGET FILE...                                      these inputs; or, built for it, libFuzzer's options
@main
struct Fuzz {
  nonisolated(unsafe) static var target = FuzzTarget.binary
  nonisolated(unsafe) static var scratch: FuzzScratch?

  static func main() throws {
    var words = Array(CommandLine.arguments.dropFirst())
    guard let name = words.first, let named = FuzzTarget(rawValue: name) else {
      print(FuzzTarget.allCases.map(\.rawValue).joined(separator: "\n"))
      return
    }
    words.removeFirst()
    unsafe target = named
    let root = FileManager.default.currentDirectoryPath
    let scratch = try FuzzScratch(fixtures: root + "/fixtures")
    unsafe Self.scratch = scratch
    atexit { unsafe Fuzz.scratch?.remove() }
    func option(_ name: String) -> String? {
      words.firstIndex(of: name).flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
    }
    func corpus() throws -> [[UInt8]] {
      try Corpus.inputs(of: named, fixtures: scratch.fixtures, found: root + "/tools/fuzz.d/corpus")
    }
    if let directory = option("--corpus") {
      for (index, input) in try corpus().enumerated() {
        try Data(input).write(to: URL(filePath: "\(directory)/seed-\(index)"))
      }
    } else if let seed = option("--seed").flatMap({ UInt64($0) }) {
      let from = option("--from").flatMap { UInt64($0) } ?? 0
      let inputs = try corpus()
      if let file = option("--write") {
        var mutator = Mutator(seed: seed, run: from)
        try Data(mutator.input(for: named, from: inputs)).write(to: URL(filePath: file))
        return
      }
      let progress = option("--progress").flatMap { Progress($0) }
      for run in from..<(from + (option("--runs").flatMap { UInt64($0) } ?? 1)) {
        progress?.store(run)
        var mutator = Mutator(seed: seed, run: run)
        named.run(mutator.input(for: named, from: inputs), in: scratch)
      }
    } else {
      try runInputs(words)
    }
  }

  #if LIBFUZZER
    /// libFuzzer's own main without its main.
    private static func runInputs(_ words: [String]) throws {
      var arguments = ([CommandLine.arguments[0]] + words).map { unsafe strdup($0) } + [nil]
      var count = CInt(arguments.count - 1)
      unsafe arguments.withUnsafeMutableBufferPointer { buffer in
        var start = buffer.baseAddress
        _ = unsafe runFuzzer(&count, &start) { bytes, count in
          if let scratch = unsafe Fuzz.scratch {
            unsafe Fuzz.target.run(Array(UnsafeBufferPointer(start: bytes, count: count)), in: scratch)
          }
          return 0
        }
      }
    }
  #else
    private static func runInputs(_ words: [String]) throws {
      for file in words {
        guard let scratch = unsafe scratch else { return }
        unsafe target.run([UInt8](try Data(contentsOf: URL(filePath: file))), in: scratch)
      }
    }
  #endif
}

#if LIBFUZZER
  @_silgen_name("LLVMFuzzerRunDriver")
  func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
  ) -> CInt
#endif

/// The number of the run under way, where whoever watches can read it whatever becomes of this process.
struct Progress {
  private let descriptor: CInt

  init?(_ path: String) {
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    if descriptor < 0 { return nil }
  }

  func store(_ run: UInt64) {
    let text = String(run).padding(toLength: 20, withPad: " ", startingAt: 0)
    _ = unsafe text.withCString { unsafe pwrite(descriptor, $0, 20, 0) }
  }
}
