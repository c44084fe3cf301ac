// SPDX-License-Identifier: GPL-2.0-only

internal import CTraceFS
internal import Glibc
internal import SystemPackage

/// Whom the recorded command runs as: recording needs root, the command hardly ever does.
package struct CommandUser: Equatable, Sendable {
  package let id: UInt32
  package let group: UInt32
  /// Supplementary groups, the own one among them.
  package let groups: [UInt32]
  /// What differs from the recorder's environment.
  package let environment: [String: String]

  /// Whoever called `sudo`, or `nil` when nobody did, or root itself.
  package static func invoking(_ environment: [String: String]) throws(CaptureError) -> CommandUser? {
    guard geteuid() == 0, let text = environment["SUDO_UID"], let id = UInt32(text), id != 0 else { return nil }
    if let user = unsafe user({ unsafe getpwuid_r(id, $0, $1, $2, $3) }) { return user }
    // An id without an entry, as in containers: it has the group that sudo names and no others.
    let group = environment["SUDO_GID"].flatMap { UInt32($0) } ?? id
    return CommandUser(id: id, group: group, groups: [group], environment: [:])
  }

  /// By login name or number.
  package static func named(_ name: String) throws(CaptureError) -> CommandUser {
    if let user = unsafe user({ unsafe getpwnam_r(name, $0, $1, $2, $3) }) { return user }
    if let id = UInt32(name) {
      if let user = unsafe user({ unsafe getpwuid_r(id, $0, $1, $2, $3) }) { return user }
      return CommandUser(id: id, group: id, groups: [id], environment: [:])
    }
    throw .invalid("\(name): no such user")
  }

  private typealias Lookup = (
    UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int, UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
  ) -> Int32

  private static func user(_ lookUp: Lookup) -> CommandUser? {
    var entry = unsafe passwd()
    var found: UnsafeMutablePointer<passwd>?
    var strings = [CChar](repeating: 0, count: 16 << 10)
    let failure = unsafe strings.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return ENOMEM }
      return unsafe lookUp(&entry, base, buffer.count, &found)
    }
    guard failure == 0, unsafe found != nil else { return nil }
    let name = unsafe String(cString: entry.pw_name)
    return unsafe CommandUser(
      id: entry.pw_uid, group: entry.pw_gid, groups: groups(of: name, entry.pw_gid),
      environment: [
        "USER": name, "LOGNAME": name, "HOME": String(cString: entry.pw_dir), "SHELL": String(cString: entry.pw_shell),
      ])
  }

  private static func groups(of name: String, _ primary: UInt32) -> [UInt32] {
    var count: Int32 = 64
    while true {
      var groups = [UInt32](repeating: 0, count: Int(count))
      if unsafe getgrouplist(name, primary, &groups, &count) >= 0 { return Array(groups.prefix(Int(count))) }
      if count <= groups.count { return [primary] }
    }
  }
}
