/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf-check.h - checks across sections, private to conf.c.
 *
 * Each adds what it finds to @diag. conf_check_images() also puts the
 * boot image first.
 */
#ifndef BOOT_CONF_CHECK_H
#define BOOT_CONF_CHECK_H

#include "boot/conf/conf.h"

void conf_check_images(struct conf *conf, struct diag *diag);
void conf_check_exports(const struct conf *conf, struct diag *diag);
void conf_check_mounts(const struct conf *conf, struct diag *diag);
/* Parameters in images' command lines that the loader sets itself. */
void conf_check_cmdline(const struct conf_image *image, struct diag *diag);

/*
 * Read squash, map, nodev and nosuid of an export's section. What is not said is
 * the narrow way.
 */
void conf_export_rules(struct conf_export *export, const struct values *v);

#endif
