// SPDX-License-Identifier: GPL-2.0-only
//
// A tour of copy-on-write, small enough for an emulated guest: small pages and huge ones shared by fork, copied and
// reused by either side, split, protected, moved and dropped. It pauses where a snapshot is worth taking.
//
//     cc -O1 -static -o cow-tour tools/guest.d/cow-tour.c && ./cow-tour [MILLISECONDS [move]]
//
// With `move` (root, two NUMA nodes): what migration does to exclusive and to shared pages, and nothing else.
//
// Exits with 1 when memory does not hold what was written.
#define _GNU_SOURCE
#include <linux/mempolicy.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { huge = 2 << 20 };

static size_t page;
static useconds_t pause_length = 300000;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

// The two sides take turns: a byte on the pipe hands over.
static int to_child[2], to_parent[2];

static void hand_over(int out, int in) {
  char byte = 0;
  if (out >= 0 && write(out, &byte, 1) != 1) fail("write");
  if (in >= 0 && read(in, &byte, 1) != 1) _exit(1);
}

static void child_waits(void) { hand_over(to_parent[1], to_child[0]); }
static void parent_waits(void) { hand_over(-1, to_parent[0]); }
static void child_goes_on(void) { hand_over(to_child[1], -1); }

static char *map(size_t length) {
  // Room to align; what is too much stays untouched.
  char *memory = mmap(NULL, length + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("mmap");
  return (char *)(((uintptr_t)memory + huge - 1) & ~((uintptr_t)huge - 1));
}

static void put(char *memory, size_t first, size_t end, size_t step, char value) {
  for (size_t index = first; index < end; index += step) ((volatile char *)memory)[index * page] = value;
}

static void expect(const char *memory, size_t index, char value) {
  if (((volatile const char *)memory)[index * page] == value) return;
  fprintf(stderr, "cow-tour: page %zu holds %d instead of %d\n", index, memory[index * page], value);
  exit(1);
}

static pid_t fork_with_pipes(void) {
  if (pipe(to_child) || pipe(to_parent)) fail("pipe");
  pid_t child = fork();
  if (child < 0) fail("fork");
  return child;
}

static void end_of(pid_t child) {
  int status;
  if (waitpid(child, &status, 0) != child || status != 0) fail("child");
  for (int end = 0; end < 2; end++) {
    close(to_child[end]);
    close(to_parent[end]);
  }
}

// Both sides write a third each while both live; the parent writes everything once it is alone.
static void small_pages(void) {
  const size_t count = 96;
  char *memory = map(count * page);
  madvise(memory, count * page, MADV_NOHUGEPAGE);
  put(memory, 0, count, 1, 1);
  pid_t child = fork_with_pipes();
  if (child == 0) {
    put(memory, 0, count, 3, 2);
    child_waits();
    expect(memory, 1, 1);
    pid_t grandchild = fork();
    if (grandchild == 0) {
      put(memory, 0, count, 2, 4);
      _exit(0);
    }
    if (grandchild < 0 || waitpid(grandchild, NULL, 0) != grandchild) _exit(1);
    put(memory, 0, count, 1, 5);
    _exit(0);
  }
  parent_waits();
  put(memory, 1, count, 3, 3);
  usleep(pause_length);
  child_goes_on();
  end_of(child);
  usleep(pause_length);
  put(memory, 0, count, 1, 6);
  if (mprotect(memory, count / 2 * page, PROT_READ) || mprotect(memory, count / 2 * page, PROT_READ | PROT_WRITE))
    fail("mprotect");
  put(memory, 0, count, 1, 7);
  madvise(memory + 8 * page, 8 * page, MADV_DONTNEED);
  expect(memory, 8, 0);
  put(memory, 8, 12, 1, 8);
  usleep(pause_length);
  munmap(memory, count * page);
}

// The child cuts its huge page by writing to it, the parent by mprotect; the folio stays whole.
static void huge_pages(void) {
  char *memory = map(2 * huge);
  const size_t count = huge / page;
  madvise(memory, 2 * huge, MADV_HUGEPAGE);
  put(memory, 0, 2 * count, count, 1);
  usleep(pause_length);
  pid_t child = fork_with_pipes();
  if (child == 0) {
    put(memory, 0, 4, 1, 2);
    put(memory, 128, 160, 2, 2);
    child_waits();
    expect(memory, 5, 0);
    put(memory, 0, count, 16, 3);
    child_waits();
    _exit(0);
  }
  parent_waits();
  usleep(pause_length);
  if (mprotect(memory + 9 * page, page, PROT_READ) || mprotect(memory + 9 * page, page, PROT_READ | PROT_WRITE))
    fail("mprotect");
  put(memory, 0, 32, 3, 4);
  usleep(pause_length);
  child_goes_on();
  parent_waits();
  put(memory, 64, 192, 5, 5);
  usleep(pause_length);
  child_goes_on();
  end_of(child);
  put(memory, 0, count, 7, 6);
  expect(memory, 64, 5);
  usleep(pause_length);
  // The second huge page has been shared, never written since: the first write may take it whole.
  put(memory, count, 2 * count, 100, 7);
  usleep(pause_length);
  munmap(memory, 2 * huge);
}

// Cut by the parent alone: nobody else ever mapped it.
static void cut_pages(void) {
  char *memory = map(huge);
  const size_t count = huge / page;
  madvise(memory, huge, MADV_HUGEPAGE);
  put(memory, 0, 1, 1, 1);
  madvise(memory + 32 * page, 16 * page, MADV_DONTNEED);
  char *target = map(16 * page);
  if (mremap(memory + 64 * page, 8 * page, 8 * page, MREMAP_MAYMOVE | MREMAP_FIXED, target) != target) fail("mremap");
  put(target, 0, 8, 1, 2);
  put(memory, 0, 64, 2, 3);
  usleep(pause_length);
  pid_t child = fork_with_pipes();
  if (child == 0) {
    put(memory, 100, 120, 2, 4);
    child_waits();
    _exit(0);
  }
  parent_waits();
  put(memory, 110, 130, 1, 5);
  usleep(pause_length);
  child_goes_on();
  end_of(child);
  put(memory, 100, count, 11, 6);
  expect(memory, 112, 5);
  usleep(pause_length);
}

// Every page to the other node and back, by its migration entry; half of the pages are shared with a child. The huge
// page moves whole the first time, and cut in the parent the second time.
static void moved_pages(void) {
  enum { count = 64 };
  char *memory = map(count * page), *large = map(huge);
  madvise(memory, count * page, MADV_NOHUGEPAGE);
  madvise(large, huge, MADV_HUGEPAGE);
  put(memory, 0, count, 1, 1);
  put(large, 0, 1, 1, 1);
  mprotect(memory, count / 4 * page, PROT_READ);
  madvise(memory, count / 2 * page, MADV_DONTFORK);
  pid_t child = fork_with_pipes();
  if (child == 0) {
    put(memory, count / 2, count, 4, 2);
    child_waits();
    _exit(0);
  }
  parent_waits();
  void *pages[count + 8];
  int nodes[count + 8], status[count + 8];
  for (int round = 0; round < 2; round++) {
    for (int index = 0; index < count; index++) pages[index] = memory + index * page;
    // One page of a huge page stands for all; of a cut one each would stand for itself, but the folio is one.
    for (int index = 0; index < 8; index++) pages[count + index] = large + index * 16 * page;
    for (int index = 0; index < count + 8; index++) nodes[index] = !round;
    if (syscall(SYS_move_pages, 0, count + 8, pages, nodes, status, MPOL_MF_MOVE_ALL) < 0) fail("move_pages");
    put(large, 16 * round, 16 * round + 4, 1, 3);
    put(memory, count / 2, count, 8, 3 + round);
  }
  child_goes_on();
  end_of(child);
  mprotect(memory, count / 4 * page, PROT_READ | PROT_WRITE);
  put(memory, 0, count, 1, 6);
  put(large, 0, huge / page, 64, 6);
  usleep(pause_length);
}

int main(int count, char **words) {
  page = (size_t)sysconf(_SC_PAGESIZE);
  if (count > 1) pause_length = (useconds_t)atoi(words[1]) * 1000;
  if (count > 2 && strcmp(words[2], "move") == 0) {
    moved_pages();
    return 0;
  }
  small_pages();
  huge_pages();
  cut_pages();
  return 0;
}
