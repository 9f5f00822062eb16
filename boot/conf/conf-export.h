/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf-export.h - how far those go who may mount an export
 */
#ifndef BOOT_CONF_EXPORT_H
#define BOOT_CONF_EXPORT_H

#include "boot/conf/conf.h"
#include "boot/text/values.h"

/*
 * Read squash, map, nodev and nosuid of an export's section. What is not said is
 * the narrow way.
 */
void conf_export_rules(struct conf_export *export, const struct values *v);

#endif
