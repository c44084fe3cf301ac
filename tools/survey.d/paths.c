// SPDX-License-Identifier: GPL-2.0-only
//
// Paths of the kernel that few programs take, each with forks before and after: `paths NAME [TIMES]`.
//
//     cc -O1 -pthread -o paths tools/survey.d/paths.c && ./paths dontunmap
//
// What a kernel does not have is passed over. The names that begin with `huge-` take their pages from hugetlb's pool.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { page = 4096, pages = 200, size = pages * page, huge = 2 << 20 };

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static char *mapped(size_t length, int protection, int flags, int file) {
  char *place = mmap(NULL, length, protection, flags, file, 0);
  if (place == MAP_FAILED) fail("mmap");
  return place;
}

static char *memory(void) { return mapped(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1); }

static void write_each(char *place, int count, int step) {
  for (int index = 0; index < count; index += step) place[index * (size_t)page]++;
}

static void read_all(char *place) {
  for (int index = 0; index < pages; index++) *(volatile char *)(place + index * (size_t)page);
}

static void child_writes(char *place) {
  write_each(place, pages, 3);
  usleep(3000);
}

static void child_reads(char *place) {
  read_all(place);
  usleep(2000);
}

static void child_writes_on(char *place) {
  for (;; usleep(500)) write_each(place, pages, 7);
}

static pid_t in_child(void (*body)(char *), char *place) {
  pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    body(place);
    _exit(0);
  }
  return child;
}

static void wait_for_all(void) {
  while (wait(NULL) > 0) continue;
}

/// Copies and reuses by either side.
static void share(char *place) {
  in_child(child_writes, place);
  write_each(place, pages, 2);
  in_child(child_reads, place);
  in_child(child_writes, place);
  write_each(place, pages, 5);
  wait_for_all();
  write_each(place, pages, 1);
}

// — one function for each path, on memory that is written

static void dontunmap(char *place) {
  char *moved = mremap(place, size, size, MREMAP_MAYMOVE | 4, NULL);
  if (moved == MAP_FAILED) return;
  share(moved);
  read_all(place);
  write_each(place, pages, 4);
  share(place);
  share(moved);
  munmap(moved, size);
}

static void private_file(char *place) {
  (void)place;
  int file = memfd_create("paths", 0);
  if (file < 0 || ftruncate(file, size)) fail("memfd");
  char *shared = mapped(size, PROT_READ | PROT_WRITE, MAP_SHARED, file);
  write_each(shared, pages, 2);
  char *own = mapped(size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file);
  read_all(own);
  share(own);
  fallocate(file, 3, 0, 50 * page);
  write_each(shared, pages, 1);
  share(own);
  munmap(own, size);
  munmap(shared, size);
  close(file);
}

static void advise_process(char *place) {
  int self = syscall(SYS_pidfd_open, getpid(), 0);
  struct iovec parts[2] = {{place, 50 * page}, {place + 100 * page, 20 * page}};
  syscall(SYS_process_madvise, self, parts, 2, MADV_DONTNEED, 0);
  share(place);
  syscall(SYS_process_madvise, self, parts, 2, MADV_PAGEOUT, 0);
  share(place);
  int child = syscall(SYS_pidfd_open, in_child(child_reads, place), 0);
  syscall(SYS_process_madvise, child, parts, 2, MADV_PAGEOUT, 0);
  wait_for_all();
  share(place);
  close(child);
  close(self);
}

/// A debugger: words poked, `/proc/PID/mem` written, across a page border too.
static void debugger(char *place) {
  pid_t child = in_child(child_writes_on, place);
  usleep(3000);
  ptrace(PTRACE_ATTACH, child, NULL, NULL);
  waitpid(child, NULL, 0);
  for (int index = 0; index < pages; index += 9) ptrace(PTRACE_POKEDATA, child, place + index * (size_t)page, 7L);
  long text = ptrace(PTRACE_PEEKTEXT, child, debugger, NULL);
  ptrace(PTRACE_POKETEXT, child, debugger, text);
  char name[40];
  snprintf(name, sizeof name, "/proc/%d/mem", child);
  int file = open(name, O_RDWR);
  for (int index = 1; index < pages; index += 11)
    if (pwrite(file, &text, 8, (off_t)(place + index * (size_t)page)) != 8) fail("pwrite");
  if (pwrite(file, &text, 8, (off_t)(place + 5 * page - 4)) != 8) fail("pwrite");
  ptrace(PTRACE_DETACH, child, NULL, NULL);
  close(file);
  usleep(3000);
  write_each(place, pages, 2);
  kill(child, SIGKILL);
  wait_for_all();
  share(place);
}

static void pipe_reference(char *place) {
  int ends[2];
  if (pipe(ends)) fail("pipe");
  struct iovec part = {place, 10 * page};
  vmsplice(ends[1], &part, 1, 0);
  share(place);
  close(ends[0]);
  close(ends[1]);
  share(place);
}

static void registered_buffers(char *place) {
  struct io_uring_params parameters = {0};
  int ring = syscall(SYS_io_uring_setup, 4, &parameters);
  if (ring < 0) return;
  pid_t child = in_child(child_reads, place);
  struct iovec part = {place, 20 * page};
  syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &part, 1);
  waitpid(child, NULL, 0);
  share(place);
  syscall(SYS_io_uring_register, ring, IORING_UNREGISTER_BUFFERS, NULL, 0);
  share(place);
  close(ring);
}

static void lazily_freed(char *place) {
  madvise(place, size, MADV_FREE);
  share(place);
  madvise(place, size / 2, MADV_PAGEOUT);
  share(place);
}

static void not_forked(char *place) {
  madvise(place, 50 * page, MADV_WIPEONFORK);
  madvise(place + 100 * page, 50 * page, MADV_DONTFORK);
  pid_t child = fork();
  if (child == 0) {
    write_each(place, 100, 2);
    _exit(0);
  }
  write_each(place, pages, 2);
  wait_for_all();
  madvise(place, size, MADV_KEEPONFORK);
  madvise(place, size, MADV_DOFORK);
  share(place);
}

/// Calls over a hole: `madvise` does the rest, `mprotect` what lies before.
static void holes(char *place) {
  char *rest = place + 50 * page;
  munmap(place + 40 * page, 10 * page);
  madvise(place, size, MADV_DONTNEED);
  write_each(place, 40, 1);
  write_each(rest, 150, 1);
  mprotect(place, size, PROT_READ);
  pid_t child = fork();
  mprotect(place, 40 * page, PROT_READ | PROT_WRITE);
  write_each(place, 40, child ? 1 : 2);
  if (child == 0) _exit(0);
  wait_for_all();
  write_each(rest, 150, 3);
}

static void *writer(void *place) {
  for (int round = 0; round < 40; round++, usleep(100)) write_each(place, pages, 3);
  return NULL;
}

static void *forker(void *place) {
  for (int round = 0; round < 10; round++) waitpid(in_child(child_writes, place), NULL, 0);
  return NULL;
}

static void threads(char *place) {
  void *(*bodies[4])(void *) = {writer, writer, forker, forker};
  pthread_t all[4];
  for (int index = 0; index < 4; index++) pthread_create(&all[index], NULL, bodies[index], place);
  for (int round = 0; round < 20; round++, usleep(300)) {
    mprotect(place, size / 2, PROT_READ | PROT_WRITE);
    madvise(place + 150 * page, 30 * page, MADV_DONTNEED);
  }
  for (int index = 0; index < 4; index++) pthread_join(all[index], NULL);
}

static void soft_dirty(char *place) {
  int file = open("/proc/self/clear_refs", O_WRONLY);
  for (int round = 0; round < 2; round++) {
    if (write(file, "4", 1) != 1) break;
    share(place);
  }
  close(file);
}

/// Each child forks the next.
static void generations(char *place) {
  int depth = 0;
  pid_t child = 0;
  while (depth < 8 && (child = fork()) == 0) {
    write_each(place, pages, 4);
    depth++;
  }
  if (depth < 8) {
    write_each(place, pages, 5);
    waitpid(child, NULL, 0);
    write_each(place, pages, 3);
  }
  if (depth > 0) _exit(0);
}

static void huge_calls(char *place) {
  (void)place;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB;
  char *two = mapped(2 * huge, PROT_READ | PROT_WRITE, flags, -1);
  mlock(two + page, page);
  pid_t child = in_child(child_writes, two);
  two[0]++;
  waitpid(child, NULL, 0);
  madvise(two, 2 * huge, 23);
  // Parts of a huge page: rounded up, or refused.
  mremap(two, 2 * huge, huge + 7 * page, 0);
  mprotect(two, page, PROT_READ);
  madvise(two + page, huge, MADV_DONTNEED);
  madvise(two, huge + page, MADV_DONTNEED);
  usleep(30000);
  two[huge]++;
  child = in_child(child_writes, two + huge);
  two[huge]++;
  waitpid(child, NULL, 0);
  char *over = mmap(two, huge + 5 * page, PROT_READ | PROT_WRITE, flags | MAP_FIXED | MAP_POPULATE, -1, 0);
  if (over == MAP_FAILED) fail("mmap");
  usleep(30000);
  child = in_child(child_writes, over);
  over[0]++;
  waitpid(child, NULL, 0);
  munmap(over, 2 * huge);
}

static const struct {
  const char *name;
  void (*body)(char *);
} all[] = {
    {"dontunmap", dontunmap},     {"private-file", private_file}, {"advise-process", advise_process},
    {"debugger", debugger},       {"pipe", pipe_reference},       {"registered", registered_buffers},
    {"lazyfree", lazily_freed},   {"not-forked", not_forked},     {"holes", holes},
    {"threads", threads},         {"soft-dirty", soft_dirty},     {"generations", generations},
    {"huge-calls", huge_calls},
};

int main(int count, char **arguments) {
  for (size_t index = 0; count > 1 && index < sizeof all / sizeof all[0]; index++) {
    if (strcmp(all[index].name, arguments[1])) continue;
    for (int times = count > 2 ? atoi(arguments[2]) : 5; times > 0; times--) {
      char *place = memory();
      write_each(place, pages, 1);
      all[index].body(place);
      munmap(place, size);
    }
    return 0;
  }
  fprintf(stderr, "paths NAME [TIMES]\n");
  return 64;
}
