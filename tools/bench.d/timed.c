// SPDX-License-Identifier: GPL-2.0-only
/*
 * timed FILE COMMAND...: runs the command, its standard output thrown away, and writes "CPU-seconds wall-seconds peak-KiB
 * status" to FILE. A small program of its own, because a child's peak memory begins with that of who started it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t) { return t.tv_sec + t.tv_usec * 1e-6; }

int main(int argc, char **argv)
{
	struct timespec start, end;
	struct rusage usage;
	int status;

	if (argc < 3) return 64;
	clock_gettime(CLOCK_MONOTONIC, &start);
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);
		dup2(null, 1);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0) return 1;
	clock_gettime(CLOCK_MONOTONIC, &end);
	FILE *file = fopen(argv[1], "w");
	if (!file) return 1;
	fprintf(file, "%f %f %ld %d\n", seconds(usage.ru_utime) + seconds(usage.ru_stime),
		end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) * 1e-9, usage.ru_maxrss,
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return fclose(file) != 0;
}
