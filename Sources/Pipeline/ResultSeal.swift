// SPDX-License-Identifier: GPL-2.0-only

import FoundationEssentials
import Glibc
import SystemPackage
import TraceFile

/// The last line of a stored result: what it was made from, and that this user made it.
///
/// A date says neither: captures are copied, and come from strangers with a result beside them. The seal is a hash over
/// which files the capture consists of and when the kernel last saw them change, this very program, and the result,
/// under a key that only the user has. Whatever else a capture is accompanied by is replayed instead of believed.
struct ResultSeal: Codable, Equatable {
  var type = "seal"
  var tool: String
  /// Hexadecimal.
  var seal: String

  /// `nil` when the user has no key and none can be made, or the capture is not one that stays as it is.
  init?(of result: some Collection<UInt8>, by tool: String, capture: String, key: (UInt64, UInt64)?) {
    guard let key, unsafe access(capture + "/incomplete", F_OK) != 0 else { return nil }
    var hash = KeyedHash(key: key)
    hash.add(tool)
    var program = stat()
    guard unsafe stat("/proc/self/exe", &program) == 0 else { return nil }
    // Two builds of one version may find different things.
    for number in [program.st_size, program.st_mtim.tv_sec, program.st_mtim.tv_nsec] {
      hash.add(UInt64(bitPattern: Int64(number)))
    }
    guard Self.add("trace.dat", of: capture, to: &hash, isOptional: false),
      Self.add("capture.json", of: capture, to: &hash, isOptional: true),
      Self.add("snapshots.bin", of: capture, to: &hash, isOptional: true)
    else { return nil }
    hash.add(Array(result))
    self.tool = tool
    seal = String(hash.value(), radix: 16)
  }

  /// A file's name, and which file in what state it is; whether there is one, or there may be none and is none.
  ///
  /// The state is told by `st_ctim`, which the kernel sets at every change of content or attributes and no program can
  /// choose: a hash over the content itself took a third of the time of a replay. A copy is another file, and is
  /// replayed.
  private static func add(_ name: String, of capture: String, to hash: inout KeyedHash, isOptional: Bool) -> Bool {
    hash.add(name)
    var status = stat()
    guard unsafe stat(capture + "/" + name, &status) == 0 else { return isOptional && errno == ENOENT }
    // From a FIFO or a device nothing was recorded.
    guard status.st_mode & S_IFMT == S_IFREG else { return false }
    hash.add(UInt64(status.st_dev))
    hash.add(UInt64(status.st_ino))
    for number in [
      status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
    ] {
      hash.add(UInt64(bitPattern: Int64(number)))
    }
    return true
  }

  // — the line

  /// The result with its seal behind it.
  func appended(to result: [UInt8]) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    // Three strings: nothing in them fails to be JSON.
    guard let line = try? encoder.encode(self) else { return result }
    return result + Array(line) + [0x0a]
  }

  /// A stored file taken apart; no seal when the last line is none.
  static func split(_ file: [UInt8]) -> (result: ArraySlice<UInt8>, seal: ResultSeal?) {
    let end = file.last == 0x0a ? file.count - 1 : file.count
    let start = file[..<end].lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    do {
      let seal = try JSONDecoder().decode(ResultSeal.self, from: Data(file[start..<end]))
      if seal.type == "seal" { return (file[..<start], seal) }
    } catch {
      return (file[...], nil)
    }
    return (file[...], nil)
  }
}

/// The user's key, made when it is first needed: `~/.local/state/cowscope/key`, 16 random bytes.
enum UserKey {
  static func load() -> (UInt64, UInt64)? {
    guard let directory = directory() else { return nil }
    let path = directory + "/key"
    if let key = read(path) { return key }
    make(path, in: directory)
    return read(path)
  }

  private static func directory() -> String? {
    let environment = ProcessInfo.processInfo.environment
    if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return state + "/cowscope" }
    // Under sudo HOME may be another user's: nothing of ours is left there.
    guard let home = environment["HOME"], home.hasPrefix("/"), isOurs(home) else { return nil }
    return home + "/.local/state/cowscope"
  }

  private static func isOurs(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_uid == geteuid()
  }

  /// Only what nobody else can have read or written.
  private static func read(_ path: String) -> (UInt64, UInt64)? {
    do {
      let file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec, .noFollow])
      return try file.closeAfter {
        var status = stat()
        guard unsafe fstat(file.rawValue, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
          status.st_mode & 0o077 == 0,
          status.st_uid == geteuid()
        else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        let count = try unsafe withUnsafeMutableBytes(of: &words) { unsafe try file.read(into: $0) }
        return count == 16 ? words : nil
      }
    } catch {
      return nil
    }
  }

  /// In place at once: whoever comes first, everybody reads the same.
  private static func make(_ path: String, in directory: String) {
    do {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      let draft = "\(path).\(getpid())"
      let file = try FileDescriptor.open(
        FilePath(draft), .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .ownerReadWrite)
      defer { unsafe unlink(draft) }
      var random = SystemRandomNumberGenerator()
      let words = (random.next(), random.next())
      try file.closeAfter { _ = try unsafe withUnsafeBytes(of: words) { unsafe try file.writeAll($0) } }
      unsafe link(draft, path)
    } catch {
      return  // Without a key results are not stored for good: `report` replays.
    }
  }
}
