/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls that Swift cannot make: fork() is marked unavailable there, and syscall(), ioctl() and fcntl() are
 * variadic. Each function is one call, or the few async-signal-safe calls that may stand between fork and exec.
 */
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* Whom the child of held_command_fork becomes. */
struct command_identity {
	uid_t user;
	gid_t group;
	const gid_t *groups;
	size_t group_count;
};

/* By system calls, not by glibc: its functions would signal threads that the child of a fork does not have. */
static inline int become(const struct command_identity *who)
{
	if (syscall(SYS_setgroups, who->group_count, who->groups))
		return -1;
	if (syscall(SYS_setresgid, who->group, who->group, who->group))
		return -1;
	return (int)syscall(SYS_setresuid, who->user, who->user, who->user);
}

/*
 * Forks a child that waits for one byte from `gate_read` and then becomes argv[0] (searched in PATH).
 *
 * The child is single-threaded and its pid is known before it executes anything, so its execve can be in the trace.
 * End of file on the gate (the recorder died or gave up) ends the child with status 125 and nothing executed.
 * When exec fails the errno is written to `report_write`, which must be close-on-exec like every other descriptor of
 * the recorder; the child then leaves with 127 (not found) or 126, as a shell does.
 *
 * The command starts with no signal blocked, whatever the calling thread blocks; with the environment `envp`; and as
 * `who`, when that is not NULL.
 *
 * Between fork and exec only async-signal-safe functions run: the recorder may have other threads.
 * Returns the pid, or -1 with errno.
 */
static inline pid_t held_command_fork(char *const argv[], char *const envp[], const struct command_identity *who,
				      int gate_read, int gate_write, int report_write)
{
	sigset_t all, inherited;
	pid_t child;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &inherited);
	child = fork();
	if (child == 0) {
		char go;
		ssize_t got;
		int failed;

		close(gate_write);
		sigemptyset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		do {
			got = read(gate_read, &go, 1);
		} while (got < 0 && errno == EINTR);
		if (got != 1)
			_exit(125);
		__environ = (char **)envp;
		if (!who || !become(who))
			execvp(argv[0], argv);
		failed = errno;
		got = write(report_write, &failed, sizeof(failed));
		_exit(failed == ENOENT ? 127 : 126);
	}
	pthread_sigmask(SIG_SETMASK, &inherited, NULL);
	return child;
}

/* A descriptor that polls readable when the process ends (Linux 5.3), or -1 with errno. Close-on-exec. */
static inline int pidfd_of(pid_t pid)
{
#ifdef SYS_pidfd_open
	return (int)syscall(SYS_pidfd_open, pid, 0);
#else
	return (int)syscall(434, pid, 0);
#endif
}

/* The variable itself cannot be named where concurrency is checked. */
static inline char **process_environment(void)
{
	return __environ;
}

static inline pid_t thread_id(void)
{
	return (pid_t)syscall(SYS_gettid);
}

/* pipe2(2): close-on-exec, and both ends nonblocking when asked. 0, or -1 with errno. */
static inline int pipe_create(int *ends, int nonblocking)
{
	return (int)syscall(SYS_pipe2, ends, O_CLOEXEC | (nonblocking ? O_NONBLOCK : 0));
}

/* splice(2) with SPLICE_F_MOVE | SPLICE_F_NONBLOCK, both at their current offsets. */
static inline ssize_t splice_nonblocking(int from, int to, size_t length)
{
	return syscall(SYS_splice, from, NULL, to, NULL, length, 1u | 2u);
}

/* splice(2) with SPLICE_F_MOVE, both at their current offsets. */
static inline ssize_t splice_blocking(int from, int to, size_t length)
{
	return syscall(SYS_splice, from, NULL, to, NULL, length, 1u);
}

/* Asks for a pipe of `size` bytes (F_SETPIPE_SZ); returns what it holds now, or -1 with errno. */
static inline int pipe_set_size(int pipe, int size)
{
	return fcntl(pipe, 1031, size);
}

/* struct page_region of <linux/fs.h>, Linux 6.7 */
struct pagemap_region {
	uint64_t start;
	uint64_t end;
	uint64_t categories;
};

/* struct pm_scan_arg of <linux/fs.h>, Linux 6.7 */
struct pagemap_scan_argument {
	uint64_t size;
	uint64_t flags;
	uint64_t start;
	uint64_t end;
	uint64_t walk_end;
	uint64_t vec;
	uint64_t vec_len;
	uint64_t max_pages;
	uint64_t category_inverted;
	uint64_t category_mask;
	uint64_t category_anyof_mask;
	uint64_t return_mask;
};

/* PAGEMAP_SCAN: fills `regions` from argument->start on; returns how many, or -1 with errno. */
static inline int pagemap_scan(int pagemap, struct pagemap_scan_argument *argument, struct pagemap_region *regions,
			       size_t count)
{
	argument->size = sizeof(*argument);
	argument->vec = (uint64_t)(uintptr_t)regions;
	argument->vec_len = count;
	return ioctl(pagemap, _IOWR('f', 16, struct pagemap_scan_argument), argument);
}
