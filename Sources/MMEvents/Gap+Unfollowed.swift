// SPDX-License-Identifier: GPL-2.0-only

extension Unfollowed {
  /// Where the table of gaps counts it.
  public var gap: Gap {
    switch self {
    case .hugetlb: .hugetlbNotFollowed
    case .swap: .swapNotFollowed
    case .migration: .migrationNotFollowed
    case .ksm: .ksmNotFollowed
    case .pin: .pinsNotFollowed
    case .remoteAccess: .remoteAccessNotFollowed
    case .remoteRead: .remoteReadsNotFollowed
    case .collapse: .collapseNotFollowed
    case .deviceMemory: .deviceMemoryNotFollowed
    case .placeless: .placelessPages
    case .userfaultfd: .userfaultfdNotFollowed
    case .userfaultWriteProtect: .userfaultfdWriteProtectNotFollowed
    }
  }
}
