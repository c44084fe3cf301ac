// SPDX-License-Identifier: GPL-2.0-only

/// What the counters say of forks, whatever else is seen.
struct ForkAccount {
  var forks: UInt64 = 0
  var sharedPages: UInt64 = 0

  var audit: AuditResult {
    AuditResult(
      name: "forks by rss_stat",
      figures: [
        NamedCount(name: "forks", count: forks), NamedCount(name: "anonymous pages they shared", count: sharedPages),
      ])
  }
}
