// swift-tools-version: 6.2
// SPDX-License-Identifier: GPL-2.0-only
import PackageDescription

/// Settings of every Swift target: unsafe code is spelled `unsafe`, existentials `any`, imports stay internal.
let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

/// What `git describe --always --dirty` says of a tree without tags: a target of its own has it, so that a commit compiles
/// one file anew.
let commit = Context.gitInformation.map { $0.currentCommit.prefix(12) + ($0.hasUncommittedChanges ? "-dirty" : "") }

let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let collections: Target.Dependency = .product(name: "Collections", package: "swift-collections")

// Targets stand in the order of the data flow; each imports only targets above it.
let package = Package(
  name: "cowscope",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
  ],
  targets: [
    .systemLibrary(name: "CTraceEvent", pkgConfig: "libtraceevent", providers: [.apt(["libtraceevent-dev"])]),
    .systemLibrary(name: "CTraceFS", pkgConfig: "libtracefs", providers: [.apt(["libtracefs-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CPrefetch"),
    .target(name: "CBuild", cSettings: commit.map { [.define("COWSCOPE_COMMIT", to: "\"\($0)\"")] } ?? []),
    .target(name: "MMEvents", swiftSettings: strict),
    .target(name: "SourceText", swiftSettings: strict),
    .target(
      name: "TraceFile", dependencies: ["MMEvents", "CPrefetch", "CTraceEvent", "CZstd", "CZlib", system],
      swiftSettings: strict),
    .target(
      name: "Capture", dependencies: ["MMEvents", "TraceFile", "CTraceFS", "CZlib", system], swiftSettings: strict),
    .target(name: "Normalize", dependencies: ["MMEvents", "TraceFile", collections], swiftSettings: strict),
    .target(name: "Replay", dependencies: ["MMEvents", "SourceText", collections], swiftSettings: strict),
    .target(name: "Stories", dependencies: ["MMEvents", "Replay"], swiftSettings: strict),
    .target(name: "Explore", dependencies: ["SourceText"], swiftSettings: strict),
    .target(name: "Report", dependencies: ["MMEvents", "Replay"], swiftSettings: strict),
    .target(
      name: "Pipeline", dependencies: ["MMEvents", "TraceFile", "Normalize", "Replay", "Stories", "Report", system],
      swiftSettings: strict),
    .target(
      name: "Anonymize", dependencies: ["MMEvents", "TraceFile", "Normalize", "Pipeline"], swiftSettings: strict),
    .executableTarget(
      name: "cowscope",
      dependencies: [
        "MMEvents", "SourceText", "TraceFile", "Capture", "Replay", "Stories", "Explore", "Report", "Pipeline",
        "Anonymize", "CBuild",
        system,
        arguments,
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "cowscope-fuzz",
      dependencies: ["TraceFile", "Replay", "Stories", "Explore", "Report", "Pipeline", "Anonymize"],
      path: "tools/fuzz.d", exclude: ["corpus"], swiftSettings: strict),
    .target(name: "TestSupport", path: "Tests/Support", swiftSettings: strict),
    .testTarget(name: "MMEventsTests", dependencies: ["MMEvents"], swiftSettings: strict),
    .testTarget(name: "TraceFileTests", dependencies: ["TraceFile", "MMEvents"], swiftSettings: strict),
    .testTarget(
      name: "CaptureTests", dependencies: ["TestSupport", "Capture", "TraceFile", "MMEvents", system],
      swiftSettings: strict),
    .testTarget(name: "NormalizeTests", dependencies: ["Normalize", "TraceFile", "MMEvents"], swiftSettings: strict),
    .testTarget(name: "ReplayTests", dependencies: ["Replay", "MMEvents"], swiftSettings: strict),
    .testTarget(
      name: "StoriesTests", dependencies: ["TestSupport", "Stories", "Replay"], swiftSettings: strict),
    .testTarget(name: "ExploreTests", dependencies: ["Explore", "Replay"], swiftSettings: strict),
    .testTarget(name: "ReportTests", dependencies: ["Report", "Replay", "MMEvents"], swiftSettings: strict),
    .testTarget(
      name: "PipelineTests",
      dependencies: ["TestSupport", "Pipeline", "MMEvents", "TraceFile", "Normalize", "Replay", "Stories", "Report"],
      swiftSettings: strict),
    .testTarget(
      name: "AnonymizeTests", dependencies: ["TestSupport", "Anonymize", "TraceFile", "Normalize", "MMEvents"],
      swiftSettings: strict),
    .testTarget(
      name: "CLITests", dependencies: ["TestSupport", "cowscope", "MMEvents", "Replay", "Report", arguments],
      swiftSettings: strict),
    .testTarget(
      name: "LiveTests",
      dependencies: ["TestSupport", "cowscope", "Capture", "TraceFile", "MMEvents", "Replay", "Stories", "Pipeline"],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
