// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ceilings: what a C program needs that only walks the records of a version 6 trace.dat.
 *
 *   walk headers PLAN FILE    type_len and delta of every record, CPU by CPU
 *   walk merge PLAN FILE      all areas merged by time; event id, pid and three fields of every record
 *
 * PLAN says where things are, one a line:  subbuffer SIZE | area OFFSET SIZE | fields ID off size off size off size
 * Little endian, 64-bit kernels. Prints how many records there were and a sum, so that nothing is optimised away.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

typedef const uint8_t *bytes;

static uint16_t u16(bytes p) { uint16_t v; memcpy(&v, p, 2); return v; }
static uint32_t u32(bytes p) { uint32_t v; memcpy(&v, p, 4); return v; }
static uint64_t u64(bytes p) { uint64_t v; memcpy(&v, p, 8); return v; }

static struct { uint8_t offset[3], size[3]; } fields[65536];
static uint64_t histogram[65536];
static size_t subbuffer;

/* One area: the sub-buffers of one CPU of one buffer. */
struct area { bytes page, end, next, limit; uint64_t time; bytes payload; int live; };
static struct area areas[512];
static int area_count;

static uint64_t load(bytes p, int size)
{
	switch (size) {
	case 8: return u64(p);
	case 4: return u32(p);
	case 2: return u16(p);
	case 1: return *p;
	default: return 0;
	}
}

static inline void advance(struct area *a)
{
	for (;;) {
		while (__builtin_expect(a->next >= a->limit, 0)) {
			a->page += subbuffer;
			if (a->page >= a->end) { a->live = 0; a->time = ~0ull; return; }
			a->time = u64(a->page);
			a->next = a->page + 16;
			a->limit = a->next + (u64(a->page + 8) & 0xfffff);
		}
		bytes p = a->next;
		uint32_t word = u32(p), type = word & 31;
		uint64_t delta = word >> 5;
		if (__builtin_expect(type - 1u < 28u, 1)) {
			a->time += delta; a->payload = p + 4; a->next = p + 4 + type * 4; return;
		}
		if (type == 0) {
			a->time += delta; a->payload = p + 8; a->next = p + 4 + ((u32(p + 4) + 3) & ~3u); return;
		}
		if (type == 30) {
			a->time += delta + ((uint64_t)u32(p + 4) << 27); a->next = p + 8;
		} else if (type == 31) {
			a->time = (a->time & 0xf800000000000000ull) | (delta + ((uint64_t)u32(p + 4) << 27)); a->next = p + 8;
		} else if (delta == 0) {
			a->next = a->limit;
		} else {
			a->time += delta; a->next = p + 4 + u32(p + 4);
		}
	}
}

static void merge(void)
{
	uint64_t count = 0, sum = 0;

	for (int i = 0; i < area_count; i++) advance(&areas[i]);
	for (;;) {
		int first = 0;
		for (int i = 1; i < area_count; i++) if (areas[i].time < areas[first].time) first = i;
		struct area *a = &areas[first];
		if (!a->live) break;
		unsigned id = u16(a->payload);
		histogram[id]++;
		sum += a->time + u32(a->payload + 4);
		for (int k = 0; k < 3; k++) sum += load(a->payload + fields[id].offset[k], fields[id].size[k]);
		count++;
		advance(a);
	}
	printf("%llu %llx\n", (unsigned long long)count, (unsigned long long)sum);
}

static void headers(void)
{
	uint64_t count = 0, sum = 0;

	for (int i = 0; i < area_count; i++)
		for (advance(&areas[i]); areas[i].live; advance(&areas[i])) { count++; sum += areas[i].time; }
	printf("%llu %llx\n", (unsigned long long)count, (unsigned long long)sum);
}

static int read_plan(const char *path, bytes base)
{
	FILE *plan = fopen(path, "r");
	char line[256];

	if (!plan) return -1;
	while (fgets(line, sizeof line, plan)) {
		unsigned long offset, size;
		unsigned v[7];

		if (sscanf(line, "subbuffer %lu", &size) == 1) {
			subbuffer = size;
		} else if (sscanf(line, "area %lu %lu", &offset, &size) == 2 && area_count < 512) {
			areas[area_count++] = (struct area){ .page = base + offset - subbuffer, .end = base + offset + size,
							     .live = 1 };
		} else if (sscanf(line, "fields %u %u %u %u %u %u %u", v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6) == 7) {
			for (int k = 0; k < 3; k++) {
				fields[v[0] & 0xffff].offset[k] = v[1 + 2 * k];
				fields[v[0] & 0xffff].size[k] = v[2 + 2 * k];
			}
		}
	}
	fclose(plan);
	return 0;
}

int main(int argc, char **argv)
{
	struct stat status;
	int fd;

	if (argc != 4 || (fd = open(argv[3], O_RDONLY)) < 0 || fstat(fd, &status)) return 64;
	bytes base = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (base == MAP_FAILED || read_plan(argv[2], base)) return 1;
	madvise((void *)base, status.st_size, MADV_SEQUENTIAL);
	if (!strcmp(argv[1], "merge")) merge();
	else headers();
	return 0;
}
