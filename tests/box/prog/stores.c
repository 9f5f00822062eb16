// SPDX-License-Identifier: GPL-2.0-only
/*
 * stores.c - many stores through mmap, each of which must reach the disk
 *
 *	stores write FILE ROUNDS	one 8-byte store per round, somewhere in FILE
 *	stores verify FILE ROUNDS	does FILE hold what such a run leaves?
 *
 * What is stored where follows from the round alone, so that the verifier
 * needs nothing from the writer: slot and value come from the same generator,
 * the last store to a slot counts.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static void store(volatile uint64_t *p, uint64_t slots, uint64_t round)
{
	p[mix(round) % slots] = mix(~round);
}

int main(int argc, char **argv)
{
	int write = argc > 1 && !strcmp(argv[1], "write");
	uint64_t rounds, slots, round, bad = 0;
	uint64_t *p, *want;
	struct stat st;
	int fd;

	if (argc != 4)
		return 2;
	fd = open(argv[2], write ? O_RDWR : O_RDONLY);
	if (fd < 0 || fstat(fd, &st)) {
		perror(argv[2]);
		return 1;
	}
	rounds = strtoull(argv[3], NULL, 0);
	slots = st.st_size / 8;
	p = mmap(NULL, st.st_size, write ? PROT_READ | PROT_WRITE : PROT_READ,
		 MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	if (write) {
		for (round = 0; round < rounds; round++) {
			store(p, slots, round);
			/* So that write-back comes in between, not only after. */
			if (round % 16 == 15)
				usleep(2000);
		}
		printf("%llu stores\n", (unsigned long long)rounds);
		return 0;
	}
	want = calloc(slots, 8);
	if (!want)
		return 1;
	for (round = 0; round < rounds; round++)
		store(want, slots, round);
	for (round = 0; round < slots; round++)
		bad += want[round] != p[round];
	printf("%llu slots differ\n", (unsigned long long)bad);
	return bad != 0;
}
