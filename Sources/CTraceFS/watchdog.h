/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a recorder that was killed with SIGKILL can no longer do is done by a process that it forked first: continue
 * the process it had stopped, and remove its trace instances and probes. Plain C, for between fork and _exit only
 * async-signal-safe functions may run.
 */
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum watchdog_message_kind {
	/* `path` is going to be an instance of the recorder's. */
	WATCHDOG_INSTANCE = 1,
	/* `probe`, "-:GROUP/NAME", is going to be a probe of the recorder's: what removes it, written to `path`. */
	WATCHDOG_PROBE,
	/* `pid` is about to be stopped. */
	WATCHDOG_STOPS,
	/* Nobody is stopped any more. */
	WATCHDOG_CONTINUED,
	/* The recorder has tidied up itself. */
	WATCHDOG_DISMISSED,
};

/* Smaller than PIPE_BUF: each is written whole or not at all. */
struct watchdog_message {
	int32_t kind;
	int32_t pid;
	char path[504];
	char probe[96];
};

static inline void watchdog_write(const char *directory, const char *file, const char *text)
{
	char path[600];
	size_t length = strlen(directory);
	int descriptor;
	ssize_t ignored;

	memcpy(path, directory, length);
	path[length] = '/';
	strcpy(path + length + 1, file);
	descriptor = open(path, O_WRONLY | O_CLOEXEC);
	if (descriptor < 0)
		return;
	ignored = write(descriptor, text, strlen(text));
	(void)ignored;
	close(descriptor);
}

/* Removes a probe, which nothing records any more; 1 when it is gone. */
static inline int watchdog_remove_probe(const struct watchdog_message *message)
{
	size_t length = strlen(message->probe);
	int gone;
	/* Truncated, the file would lose everybody's. */
	int descriptor = open(message->path, O_WRONLY | O_CLOEXEC);

	if (descriptor < 0)
		return 1;
	gone = write(descriptor, message->probe, length) == (ssize_t)length || errno == ENOENT;
	close(descriptor);
	return gone;
}

/* Removes an instance that nobody has the lock of; 1 when it is gone or somebody else's. */
static inline int watchdog_remove(const char *directory)
{
	struct stat opened, named;
	int gone = 0;
	int lock = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (lock < 0)
		return errno == ENOENT;
	/* The recorder's own lock may go a moment after its pipe. */
	if (flock(lock, LOCK_EX | LOCK_NB) == 0) {
		if (fstat(lock, &opened) || stat(directory, &named) || opened.st_ino != named.st_ino) {
			gone = 1;
		} else {
			watchdog_write(directory, "tracing_on", "0");
			watchdog_write(directory, "events/enable", "0");
			gone = rmdir(directory) == 0 || errno == ENOENT;
		}
	}
	close(lock);
	return gone;
}

/* The watchdog: listens until the recorder's end of the pipe is closed, however that came about, then tidies up. */
static inline void watchdog_serve(int pipe)
{
	static char instances[8][504];
	static struct watchdog_message probes[32];
	int count = 0, probe_count = 0;
	int32_t stopped = 0;
	struct watchdog_message message;
	const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };

	for (;;) {
		ssize_t got = read(pipe, &message, sizeof(message));

		if (got < 0 && errno == EINTR)
			continue;
		if (got != (ssize_t)sizeof(message))
			break;
		switch (message.kind) {
		case WATCHDOG_INSTANCE:
			if (count < 8)
				memcpy(instances[count++], message.path, sizeof(message.path));
			break;
		case WATCHDOG_PROBE:
			if (probe_count < 32)
				probes[probe_count++] = message;
			break;
		case WATCHDOG_STOPS:
			stopped = message.pid;
			break;
		case WATCHDOG_CONTINUED:
			stopped = 0;
			break;
		case WATCHDOG_DISMISSED:
			return;
		}
	}
	if (stopped > 0)
		kill(stopped, SIGCONT);
	/* As long as the kernel may take to close what the recorder had open: 10 s at most. */
	for (int attempt = 0; attempt < 2000 && count + probe_count > 0; attempt++) {
		for (int i = count - 1; i >= 0; i--) {
			if (!watchdog_remove(instances[i]))
				continue;
			count--;
			memmove(instances[i], instances[count], sizeof(instances[i]));
		}
		for (int i = probe_count - 1; i >= 0; i--) {
			if (watchdog_remove_probe(&probes[i]))
				probes[i] = probes[--probe_count];
		}
		if (count + probe_count > 0)
			nanosleep(&pause, NULL);
	}
}

/*
 * Forks the watchdog, which keeps nothing of the recorder open but `pipe_read`: nobody who waits for the end of the
 * recorder's output waits for it. In a session of its own, and deaf to what ends sessions, it outlives a SIGKILL of
 * the recorder's process group. Returns its pid, or -1 with errno.
 */
static inline pid_t watchdog_fork(int pipe_read)
{
	sigset_t all, inherited;
	pid_t child;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &inherited);
	child = fork();
	if (child == 0) {
		int null;

		setsid();
		prctl(PR_SET_NAME, "cowscope-watch");
		if (dup2(pipe_read, 3) == 3) {
			/* close_range(2), Linux 5.9; where it is missing the ends of pipes stay open and do no harm. */
			syscall(436, 4u, ~0u, 0);
			null = open("/dev/null", O_RDWR);
			for (int fd = 0; null >= 0 && fd < 3; fd++)
				dup2(null, fd);
			if (null > 3)
				close(null);
			watchdog_serve(3);
		}
		_exit(0);
	}
	pthread_sigmask(SIG_SETMASK, &inherited, NULL);
	return child;
}
