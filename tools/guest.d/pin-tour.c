// SPDX-License-Identifier: GPL-2.0-only
//
// A tour of pins, for kernels that let dynamic events show them: buffers registered with io_uring, reads and writes with
// O_DIRECT, memory of another process, pages spliced into a pipe; each on pages that a child shares, and with a fork
// while they are pinned.
//
//     cc -O1 -static -o pin-tour tools/guest.d/pin-tour.c && ./pin-tour FILE [MILLISECONDS]
//     ./pin-tour --time
//
// FILE: what it holds from 1 MiB on is overwritten; of a file system that can read and write past the page cache, or a
// block device. MILLISECONDS: how long it pauses where a snapshot is worth taking.
//
// --time: how long a process_vm_readv of one page and of sixteen takes, the least of many, and nothing else.
//
// Exits with 1 when memory does not hold what was written.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { count = 32, half = count / 2 };

static size_t page;
static useconds_t pause_length;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static char *map(void) {
  char *memory = mmap(NULL, count * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("mmap");
  madvise(memory, count * page, MADV_NOHUGEPAGE);
  return memory;
}

static void put(char *memory, size_t first, size_t end, char value) {
  for (size_t index = first; index < end; index++) ((volatile char *)memory)[index * page] = value;
}

static void expect(const char *memory, size_t first, size_t end, char value) {
  for (size_t index = first; index < end; index++) {
    if (((volatile const char *)memory)[index * page] == value) continue;
    fprintf(stderr, "pin-tour: page %zu holds %d instead of %d\n", index, memory[index * page], value);
    exit(1);
  }
}

// A child that shares all memory until `end_of` lets it go.
struct sharer {
  pid_t pid;
  int pipe;
};

static struct sharer share(void) {
  int ends[2];
  if (pipe(ends)) fail("pipe");
  struct sharer sharer = {.pid = fork(), .pipe = ends[1]};
  if (sharer.pid < 0) fail("fork");
  if (sharer.pid == 0) {
    char byte;
    _exit(read(ends[0], &byte, 1) != 1);
  }
  close(ends[0]);
  return sharer;
}

static void end_of(struct sharer sharer) {
  int status;
  if (write(sharer.pipe, "", 1) != 1) fail("write");
  close(sharer.pipe);
  if (waitpid(sharer.pid, &status, 0) != sharer.pid || status != 0) fail("child");
}

// Registering pins for long, to write: what the child shares is copied for the parent first. The second child gets
// copies of what is pinned, at once.
static void registered_buffer(void) {
  char *memory = map();
  put(memory, 0, count, 1);
  struct sharer first = share();
  struct io_uring_params parameters = {0};
  int ring = (int)syscall(SYS_io_uring_setup, 4, &parameters);
  if (ring < 0) fail("io_uring_setup");
  struct iovec buffer = {memory, half * page};
  if (syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &buffer, 1)) fail("io_uring_register");
  usleep(pause_length);
  struct sharer second = share();
  put(memory, 0, count, 2);
  usleep(pause_length);
  end_of(first);
  if (syscall(SYS_io_uring_register, ring, IORING_UNREGISTER_BUFFERS, NULL, 0)) fail("unregister");
  close(ring);
  put(memory, 0, count, 3);
  end_of(second);
  put(memory, 0, count, 4);
  usleep(pause_length);
  munmap(memory, count * page);
}

// To write from memory is to pin it to read: what the child shares is copied, but stays read-only.
static void direct_io(const char *path) {
  int file = open(path, O_RDWR | O_DIRECT);
  if (file < 0) fail(path);
  char *memory = map();
  put(memory, 0, count, 5);
  struct sharer first = share();
  if (pwrite(file, memory, half * page, 1 << 20) != (ssize_t)(half * page)) fail("pwrite");
  usleep(pause_length);
  put(memory, 0, half / 2, 6);
  if (pread(file, memory + half * page, half * page, 1 << 20) != (ssize_t)(half * page)) fail("pread");
  expect(memory, half, count, 5);
  struct sharer second = share();
  end_of(first);
  usleep(pause_length);
  put(memory, 0, count, 7);
  end_of(second);
  put(memory, 0, count, 8);
  usleep(pause_length);
  munmap(memory, count * page);
  close(file);
}

// The parent reads and writes the memory of a child that shares it.
static void other_process(void) {
  char *memory = map(), *own = map();
  put(memory, 0, count, 9);
  put(own, 0, count, 10);
  struct sharer first = share();
  struct iovec local = {own, half * page}, remote = {memory, half * page};
  if (process_vm_readv(first.pid, &local, 1, &remote, 1, 0) != (ssize_t)(half * page)) fail("process_vm_readv");
  expect(own, 0, half, 9);
  put(memory, 0, half, 11);
  local.iov_base = own + half * page;
  remote.iov_base = memory + half * page;
  if (process_vm_writev(first.pid, &local, 1, &remote, 1, 0) != (ssize_t)(half * page)) fail("process_vm_writev");
  expect(memory, half, count, 9);
  usleep(pause_length);
  put(memory, half, count, 12);
  end_of(first);
  put(memory, 0, count, 13);
  munmap(memory, count * page);
  munmap(own, count * page);
}

// The pipe holds a reference to each page, no pin.
static void spliced_pages(void) {
  char *memory = map();
  int ends[2];
  if (pipe(ends)) fail("pipe");
  put(memory, 0, count, 14);
  struct iovec pages = {memory, 8 * page};
  if (vmsplice(ends[1], &pages, 1, 0) != (ssize_t)(8 * page)) fail("vmsplice");
  struct sharer first = share();
  put(memory, 0, half, 15);
  end_of(first);
  put(memory, 0, count, 16);
  usleep(pause_length);
  close(ends[0]);
  close(ends[1]);
  put(memory, 0, count, 17);
  munmap(memory, count * page);
}

// GUP pins the pages, copies, and gives them back one by one.
static void time_pins(void) {
  char *memory = map(), *own = map();
  put(memory, 0, count, 1);
  put(own, 0, count, 1);
  for (size_t pages = 1; pages <= half; pages += half - 1) {
    struct iovec local = {own, pages * page}, remote = {memory, pages * page};
    long least = 0;
    for (int round = 0; round < 2000; round++) {
      struct timespec begin, end;
      clock_gettime(CLOCK_MONOTONIC, &begin);
      if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != (ssize_t)(pages * page)) fail("process_vm_readv");
      clock_gettime(CLOCK_MONOTONIC, &end);
      long taken = (end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec - begin.tv_nsec;
      if (round == 0 || taken < least) least = taken;
    }
    printf("%zu pages: %ld ns\n", pages, least);
  }
}

int main(int words, char **word) {
  if (words < 2) {
    fprintf(stderr, "usage: pin-tour FILE [MILLISECONDS] | --time\n");
    return 2;
  }
  page = (size_t)sysconf(_SC_PAGESIZE);
  if (strcmp(word[1], "--time") == 0) {
    time_pins();
    return 0;
  }
  if (words > 2) pause_length = (useconds_t)atoi(word[2]) * 1000;
  signal(SIGPIPE, SIG_IGN);
  registered_buffer();
  direct_io(word[1]);
  other_process();
  spliced_pages();
  return 0;
}
