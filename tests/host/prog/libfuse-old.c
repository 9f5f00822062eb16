// SPDX-License-Identifier: GPL-2.0-only
/*
 * libfuse-old.c - a libfuse from before passthrough, for mount.ccfs-old.
 */
int __wrap_fuse_version(void);
const char *__wrap_fuse_pkgversion(void);

int __wrap_fuse_version(void)
{
	return 316;
}

const char *__wrap_fuse_pkgversion(void)
{
	return "3.16.2";
}
