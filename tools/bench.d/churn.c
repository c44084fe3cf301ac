// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fixed amount of fork, copy on write, mmap, mprotect, madvise and munmap: the same work with recording on and off.
 *
 *   churn ROUNDS MIB PROCESSES
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

static unsigned seed = 12345;

static unsigned next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

static void child(char *base, size_t pages, int round)
{
	seed = round * 2654435761u + 1;
	for (size_t i = 0; i < pages; i++)
		if (next_random() & 1) base[i * PAGE]++;
	size_t count = 64 + (next_random() & 255);
	char *map = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < count; i++) map[i * PAGE] = 1;
	for (int i = 0; i < 8; i++) mprotect(map + (count / 4 + next_random() % (count / 4)) * PAGE, PAGE, PROT_READ);
	madvise(map, count / 2 * PAGE, MADV_DONTNEED);
	for (size_t i = 0; i < count / 4; i++) map[i * PAGE] = 2;
	munmap(map + count / 2 * PAGE, (count - count / 2) * PAGE);
	pid_t grandchild = fork();
	if (grandchild == 0) { base[0]++; _exit(0); }
	waitpid(grandchild, NULL, 0);
	if ((round & 63) == 0) execl("/bin/true", "true", (char *)NULL);
	_exit(0);
}

static void run(int rounds, size_t pages, int number)
{
	char *base = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise(base, pages * PAGE, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < pages; i++) base[i * PAGE] = 1;
	for (int round = 0; round < rounds; round++) {
		pid_t pid = fork();
		if (pid == 0) child(base, pages, round + number * 1000003);
		for (size_t i = 0; i < pages; i += 16) base[i * PAGE] += 3;
		waitpid(pid, NULL, 0);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	if (argc != 4) return 64;
	for (int i = 0; i < atoi(argv[3]); i++)
		if (fork() == 0) run(atoi(argv[1]), atoi(argv[2]) * (1 << 20) / PAGE, i);
	while (wait(NULL) > 0) ;
	return 0;
}
