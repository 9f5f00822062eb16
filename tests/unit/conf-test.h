/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf-test.h - what the unit tests of boot/ share: files and random numbers.
 *
 * Tests run in the top directory of the sources. cmocka wants its own headers
 * in front, so this one has them.
 */
#ifndef TESTS_UNIT_CONF_TEST_H
#define TESTS_UNIT_CONF_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/conf/conf.h"
#include "boot/plan/plan.h"
#include "boot/machine/topology.h"

#define TOPOLOGIES	"tests/topologies"
#define NTOPOLOGIES	4

static const char *const topology_names[NTOPOLOGIES] = {
	"box", "laptop", "server", "holes"
};

/* A directory of its own for one test program, removed by tree_remove(). */
struct tree {
	char dir[64];
};

static inline void tree_make(struct tree *tree)
{
	char path[128];
	FILE *file;

	strcpy(tree->dir, "/tmp/ccctl-test-XXXXXX");
	assert_non_null(mkdtemp(tree->dir));
	snprintf(path, sizeof(path), "%s/srv", tree->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/srv/shared", tree->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/srv/file", tree->dir);
	file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	snprintf(path, sizeof(path), "%s/srv/link", tree->dir);
	assert_int_equal(symlink("shared", path), 0);
}

static inline void tree_remove(struct tree *tree)
{
	static const char *const names[] = {
		"srv/shared", "srv/file", "srv/link", "srv", "text", "plan", ""
	};
	char path[128];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", tree->dir, names[i]);
		remove(path);
	}
}

static inline struct topology *load_topology(const char *name)
{
	struct topology *topo = NULL;
	char path[PATH_MAX];
	struct diag diag;

	snprintf(path, sizeof(path), TOPOLOGIES "/%s.json", name);
	diag_init(&diag, path);
	if (topology_read_file(path, &topo, &diag)) {
		diag_print(&diag, stderr);
		fail_msg("%s cannot be read", path);
	}
	diag_free(&diag);
	return topo;
}

/* xorshift64*: the same numbers on every machine. */
static inline uint64_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}

static inline uint64_t random_below(uint64_t *state, uint64_t limit)
{
	return (random_next(state) >> 11) % limit;
}

/* Call @run for each FILE.conf in @dir, sorted. Returns how many there were. */
static inline int each_conf(const char *dir,
			    void (*run)(const char *path, void *data),
			    void *data)
{
	struct dirent **names;
	char path[PATH_MAX];
	int i, n = scandir(dir, &names, NULL, alphasort), count = 0;

	assert_true(n > 0);
	for (i = 0; i < n; i++) {
		size_t len = strlen(names[i]->d_name);

		if (len > 5 && !strcmp(names[i]->d_name + len - 5, ".conf")) {
			snprintf(path, sizeof(path), "%s/%s", dir,
				 names[i]->d_name);
			run(path, data);
			count++;
		}
		free(names[i]);
	}
	free(names);
	return count;
}

/* The whole way from a file to a plan. 0 or -errno, mistakes in @diag. */
static inline int make_plan(const char *path, const struct topology *topo,
			    const char *root, struct plan **plan,
			    struct diag *diag)
{
	struct conf *conf = NULL;
	int err = conf_read(path, &conf, diag);

	if (!err)
		err = conf_check_machine(conf, topo, root, diag);
	if (!err)
		err = plan_make(conf, topo, plan, diag);
	conf_free(conf);
	return err;
}

#endif
