// SPDX-License-Identifier: GPL-2.0-only

extension Gap {
  /// Name, origin, severity, unit and sentence: a row of the table.
  public var description: Description {
    switch self {
    case .damagedPlaces:
      Description("damaged-places", .file, .loss, "places", "bytes of the capture that cannot be read")
    case .assumedKernel:
      Description(
        "assumed-kernel", .file, .info, "captures", "captures that name no kernel known here: taken for the newest")
    case .unreadableSnapshots:
      Description("unreadable-snapshots", .file, .doubt, "snapshots", "snapshots that cannot be read")
    case .recordingDisturbed:
      Description(
        "recording-disturbed", .file, .loss, "changes",
        "changes that somebody else made to the instances while they recorded, such as switching them off")
    case .refusedLines:
      Description("refused-lines", .text, .loss, "lines", "lines of events that matter, which cannot be read")
    case .unrecognisedLines:
      Description("unrecognised-lines", .text, .doubt, "lines", "lines of no form known here, naming no event")
    case .ignoredLines:
      Description("ignored-lines", .text, .info, "lines", "lines of events that mean nothing to the model")
    case .overwrittenRecords:
      Description(
        "overwritten-records", .text, .loss, "records", "records overwritten or dropped before the text was taken")
    case .timeBackwards:
      Description("time-backwards", .merge, .loss, "places", "records that are earlier than the one before them")
    case .ignoredRecords:
      Description("ignored-records", .normalizer, .info, "records", "records of events that mean nothing to the model")
    case .malformedRecords:
      Description(
        "malformed-records", .normalizer, .loss, "records", "records too short for their format, or without a field")
    case .impossibleRecords:
      Description(
        "impossible-records", .normalizer, .loss, "records",
        "records of a frame beyond 64 TiB, or of a folio larger than the page allocator gives out")
    case .faultsWithoutMM:
      Description("faults-without-mm", .normalizer, .doubt, "faults", "faults of threads whose mm is not known")
    case .forksOfUnknownKind:
      Description(
        "forks-of-unknown-kind", .normalizer, .doubt, "tasks",
        "new tasks of which the trace does not tell whether they share their parent's memory")
    case .foreignCounters:
      Description(
        "foreign-counters", .normalizer, .info, "records", "rss_stat of address spaces that are not followed")
    case .foreignExits:
      Description("foreign-exits", .normalizer, .info, "records", "exit_mmap of address spaces that are not followed")
    case .exitsWithoutMM:
      Description(
        "exits-without-mm", .normalizer, .doubt, "records", "exit_mmap that do not tell which address space ended")
    case .foreignTreeWrites:
      Description(
        "foreign-tree-writes", .normalizer, .info, "records",
        "maple tree writes that belong to no address space that is followed")
    case .hugetlbNotFollowed:
      Description(
        "hugetlb-not-followed", .model, .doubt, "faults",
        "faults on hugetlb with a userfaultfd, in pages that no PMD maps, or from outside")
    case .swapNotFollowed:
      Description("swap-not-followed", .model, .info, "calls", "MADV_PAGEOUT: which pages go shows later, or never")
    case .migrationNotFollowed:
      Description(
        "migration-not-followed", .model, .doubt, "entries", "migration entries that came back unknown to the model")
    case .ksmNotFollowed:
      Description("ksm-not-followed", .model, .doubt, "merges", "KSM merges whose pages the model does not know")
    case .pinsNotFollowed:
      Description(
        "pins-not-followed", .model, .doubt, "pages", "pages pinned at an address that the trace does not tell")
    case .remoteAccessNotFollowed:
      Description(
        "remote-access-not-followed", .model, .doubt, "accesses",
        "accesses to another process's memory whose address the trace does not tell; told once of an mm where not even "
          + "its end shows")
    case .remoteReadsNotFollowed:
      Description(
        "remote-reads-not-followed", .model, .info, "address spaces",
        "address spaces that another process read (process_vm_readv) at addresses the trace does not tell: what was copied "
          + "for it counts among placeless-pages, and a page that nobody else maps may have become exclusive")
    case .collapseNotFollowed:
      Description("collapse-not-followed", .model, .doubt, "collapses", "collapses of ranges the model does not know")
    case .deviceMemoryNotFollowed:
      Description(
        "device-memory-not-followed", .model, .doubt, "events", "device memory, which the model does not follow")
    case .placelessPages:
      Description(
        "placeless-pages", .model, .doubt, "pages", "pages that came in at an address the trace does not tell")
    case .userfaultfdNotFollowed:
      Description(
        "userfaultfd-not-followed", .model, .doubt, "calls", "userfaultfd requests whose range the trace does not tell")
    case .userfaultfdWriteProtectNotFollowed:
      Description(
        "userfaultfd-wp-not-followed", .model, .doubt, "calls",
        "UFFDIO_WRITEPROTECT requests whose range the trace does not tell")
    case .eventsWithoutMM:
      Description("events-without-mm", .model, .doubt, "events", "events without an address space")
    case .eventsAfterExit:
      Description("events-after-exit", .model, .info, "events", "events of an mm after its exit_mmap")
    case .framesFreedWhileMapped:
      Description("frames-freed-while-mapped", .model, .doubt, "frames", "frames freed while the model maps them")
    case .contradictoryFaults:
      Description("contradictory-faults", .model, .doubt, "faults", "faults with contradictory evidence")
    case .populatedNowhere:
      Description("populated-nowhere", .model, .doubt, "pages", "pages filled at an unknown address")
    case .forkCountDiffers:
      Description("fork-count-differs", .model, .doubt, "forks", "forks whose page count differs from the kernel's")
    case .firstTouchOfPresent:
      Description("first-touch-of-present", .model, .doubt, "faults", "first touches where the model had a page")
    case .migratedUnknown:
      Description("migrated-unknown", .model, .doubt, "entries", "migrations of pages the model does not know")
    case .firstSeenInSnapshot:
      Description("first-seen-in-snapshot", .model, .info, "pages", "pages first seen in a snapshot")
    case .stateContradictions:
      Description(
        "state-contradictions", .model, .doubt, "entries",
        "entries of the model, at snapshots and at the end, that break a rule of today's kernel")
    case .mappersExcluded:
      Description(
        "mappers-excluded", .model, .doubt, "mappings",
        "mappings of the model that the kernel's reuse or flag of the page excludes")
    case .copiedTwiceByFork:
      Description(
        "copied-twice-by-fork", .model, .doubt, "VMAs", "VMAs copied by fork into a child that had pages there")
    }
  }
}
