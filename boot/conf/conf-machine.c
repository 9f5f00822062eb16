// SPDX-License-Identifier: GPL-2.0-only
/*
 * conf-machine.c - partitions.conf against the machine it is for.
 *
 * CPUs, nodes and PCI functions are compared with the topology, exported paths
 * with a file tree. proxyd follows no link on the way to an export, so there
 * must be none. Whether the memory fits is plan_make()'s question.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "boot/conf/conf.h"
#include "boot/machine/topology.h"

static void check_node(const struct topology *topo, const struct value_num *node,
		       struct diag *diag)
{
	char known[256];
	size_t used = 0;
	int i;

	if (!node->given || topology_has_node(topo, node->value))
		return;
	known[0] = '\0';
	for (i = 0; i < topo->nnodes && used < sizeof(known); i++)
		used += snprintf(known + used, sizeof(known) - used, "%s%d",
				 i ? ", " : "", topo->nodes[i]);
	diag_add(diag, node->line, "node %" PRIu64 " does not exist; %s has node%s %s",
		 node->value, topo->source, topo->nnodes == 1 ? "" : "s",
		 known);
}

static void check_ncpus(const struct topology *topo,
			const struct conf_image *image, struct diag *diag)
{
	uint64_t have = 0;
	int i;

	if (!image->ncpus.given || !image->node.given ||
	    !topology_has_node(topo, image->node.value))
		return;
	for (i = 0; i < topo->ncpus; i++)
		have += (uint64_t)topo->cpus[i].node == image->node.value;
	if (image->ncpus.value > have)
		diag_add(diag, image->ncpus.line,
			 "ncpus is %" PRIu64 ", but node %" PRIu64 " has %" PRIu64 " CPUs; give at most that many",
			 image->ncpus.value, image->node.value, have);
}

static void check_image(const struct topology *topo,
			const struct conf_image *image, struct diag *diag)
{
	char *have = topology_cpus_str(topo->cpus, topo->ncpus);
	int i;

	for (i = 0; i < image->cpus.n; i++)
		if (!topology_cpu(topo, image->cpus.v[i].value))
			diag_add(diag, image->cpus.v[i].line,
				 "CPU %" PRIu64 " does not exist; %s has CPUs %s",
				 image->cpus.v[i].value, topo->source,
				 have ? have : "others");
	free(have);
	check_node(topo, &image->node, diag);
	check_ncpus(topo, image, diag);
	for (i = 0; i < image->devices.n; i++)
		if (!topology_pci(topo, image->devices.v[i].s))
			diag_add(diag, image->devices.v[i].line,
				 "device \"%s\" does not exist on %s; lspci -D lists what does",
				 image->devices.v[i].s, topo->source);
}

/* The type of the file at @path below @root, reached through no link; or -errno. */
static int path_type(const char *root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_IN_ROOT,
	};
	int dir = open(root[0] ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int fd, ret;

	if (dir < 0)
		return -errno;
	fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));
	ret = fd < 0 || fstat(fd, &st) ? -errno : (int)(st.st_mode & S_IFMT);
	if (fd >= 0)
		close(fd);
	close(dir);
	return ret;
}

static void check_path(const struct conf_export *export, const char *root,
		       struct diag *diag)
{
	int type = path_type(root, export->path.s);
	const char *what = NULL;

	if (type == -ENOENT)
		what = "does not exist; create it, or export another";
	else if (type == -ELOOP)
		what = "has a symbolic link in it; give the path that it leads to";
	else if (type < 0)
		what = "cannot be reached; check its parents";
	else if (type != S_IFDIR)
		what = "is not a directory; export the directory it is in";
	if (what)
		diag_add(diag, export->path.line, "path \"%s\" of export \"%s\" %s",
			 export->path.s, export->name, what);
}

int conf_check_machine(const struct conf *conf, const struct topology *topo,
		       const char *root, struct diag *diag)
{
	int i, before = diag->count;

	for (i = 0; i < conf->nimages; i++)
		check_image(topo, &conf->images[i], diag);
	for (i = 0; i < conf->region.nodes.n; i++)
		check_node(topo, &conf->region.nodes.v[i], diag);
	/* What the others export is seen when they run. */
	for (i = 0; root && i < conf->nexports; i++)
		if (conf->exports[i].image == SHAREDPC_BOOT)
			check_path(&conf->exports[i], root, diag);
	return diag->count == before ? 0 : -EINVAL;
}
