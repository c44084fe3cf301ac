// SPDX-License-Identifier: GPL-2.0-only

/// C functions of which a program has those that its steps call.
enum ProgramHelper: CaseIterable {
  case map, file, advise, move, load, store, refused, forceStore, directIO, reference, swapOut

  var text: String {
    switch self {
    case .map:
      """
      static void map(long first, long count, int protection, int fd)
      {
          int flags = MAP_PRIVATE | MAP_FIXED_NOREPLACE | MAP_NORESERVE | (fd < 0 ? MAP_ANONYMOUS : 0);
          check(mmap(at(first), pages(count), protection, flags, fd, fd < 0 ? 0 : pages(first)) == at(first), "mmap");
          /* Small pages, but where a step says otherwise. */
          if (madvise(at(first), pages(count), MADV_NOHUGEPAGE) && errno != EINVAL)
              check(0, "MADV_NOHUGEPAGE");
      }
      """
    case .file:
      """
      static int file(long count)
      {
          char name[] = "./story-XXXXXX";
          int fd = mkstemp(name);
          check(fd >= 0 && unlink(name) == 0 && ftruncate(fd, pages(count)) == 0, "a temporary file");
          return fd;
      }
      """
    case .advise:
      """
      static void advise(long first, long count, int advice)
      {
          if (advice == MADV_NOHUGEPAGE && madvise(at(first), pages(count), advice) && errno == EINVAL)
              return; /* A kernel without huge pages. */
          check(madvise(at(first), pages(count), advice) == 0, "madvise");
      }
      """
    case .move:
      """
      static void move(long first, long count, long to)
      {
          int flags = MREMAP_MAYMOVE | MREMAP_FIXED;
          check(mremap(at(first), pages(count), pages(count), flags, at(to)) == at(to), "mremap");
      }
      """
    case .load:
      """
      static void load(long first, long count, long stride)
      {
          for (long page = first; page < first + count; page += stride)
              *(volatile char *)at(page);
      }
      """
    case .store:
      """
      static void store(long first, long count, long stride, int value)
      {
          for (long page = first; page < first + count; page += stride)
              *(volatile char *)at(page) = value;
      }
      """
    case .refused:
      """
      static sigjmp_buf out;

      static void on_fault(int signal) { siglongjmp(out, signal); }

      /* The first access is refused. */
      static __attribute__((unused)) void refused_load(long first, long count)
      {
          signal(SIGSEGV, on_fault);
          if (sigsetjmp(out, 1) == 0) {
              *(volatile char *)at(first + 0 * count);
              check(0, "a load that is to be refused");
          }
          signal(SIGSEGV, SIG_DFL);
      }

      static __attribute__((unused)) void refused_store(long first, long count, long stride)
      {
          signal(SIGSEGV, on_fault);
          if (sigsetjmp(out, 1) == 0) {
              for (long page = first; page < first + count; page += stride)
                  *(volatile char *)at(page) = 1;
              check(0, "a store that is to be refused");
          }
          signal(SIGSEGV, SIG_DFL);
      }
      """
    case .forceStore:
      """
      /* A debugger's, which asks for no VM_WRITE. */
      static int force_store(int who, long first, long count)
      {
          char path[64];
          snprintf(path, sizeof path, "/proc/%d/mem", pids[who]);
          int memory = open(path, O_RDWR | O_CLOEXEC), result = 0;
          cannot_unless(memory >= 0, path);
          for (long page = first; page < first + count && result == 0; page++)
              result = pwrite(memory, "x", 1, (off_t)(unsigned long)at(page)) == 1 ? 0 : -1;
          close(memory);
          return result;
      }
      """
    case .directIO:
      """
      static int direct_file(long count)
      {
          char name[] = "./story-XXXXXX";
          int fd = mkstemp(name);
          check(fd >= 0 && ftruncate(fd, pages(count)) == 0, "a temporary file");
          close(fd);
          fd = open(name, O_RDWR | O_DIRECT | O_CLOEXEC);
          unlink(name);
          cannot_unless(fd >= 0, "the current directory's file system has no O_DIRECT");
          return fd;
      }

      /* Pins of the length of a call: FOLL_WRITE where the file is read, and not where it is written. */
      static __attribute__((unused)) void direct_read(long first, long count)
      {
          int fd = direct_file(count);
          check(pread(fd, at(first), pages(count), 0) == (ssize_t)pages(count), "read with O_DIRECT");
          close(fd);
      }

      static __attribute__((unused)) void direct_write(long first, long count)
      {
          int fd = direct_file(count);
          check(pwrite(fd, at(first), pages(count), 0) == (ssize_t)pages(count), "write with O_DIRECT");
          close(fd);
      }
      """
    case .reference:
      """
      /* A pipe holds a reference to the page until it is read. */
      static void take_reference(long page)
      {
          struct iovec part = {at(page), pages(1)};
          check(vmsplice(held[1], &part, 1, 0) == (ssize_t)pages(1), "vmsplice");
      }

      static __attribute__((unused)) void drop_reference(void)
      {
          char *copy = malloc(pages(1));
          check(copy && read(held[0], copy, pages(1)) == (ssize_t)pages(1), "read from the pipe");
          free(copy);
      }
      """
    case .swapOut:
      """
      static int is_swapped(long first, long count)
      {
          int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), all = 1;
          for (long page = first; page < first + count && all; page++) {
              uint64_t entry = 0;
              long place = (long)((unsigned long)at(page) / pages(1) * sizeof entry);
              all = pread(map, &entry, sizeof entry, place) == sizeof entry && entry >> 62 & 1;
          }
          close(map);
          return all;
      }

      static void swap_out(long first, long count)
      {
          for (int tries = 0; tries < 500; tries++) {
              check(madvise(at(first), pages(count), MADV_PAGEOUT) == 0, "MADV_PAGEOUT");
              if (is_swapped(first, count))
                  return;
              usleep(10000); /* A page waits in some CPU's batch. */
          }
          cannot_unless(0, "the pages do not go to swap");
      }
      """
    }
  }
}
