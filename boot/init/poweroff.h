/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * poweroff.h - the boot image asks ccinit of another image to shut down
 *
 * ccinit listens on AF_VSOCK port CCINIT_PORT and obeys a line from the boot
 * image, from nobody else: "poweroff" or "reboot".  It answers "ok".
 */
#ifndef BOOT_POWEROFF_H
#define BOOT_POWEROFF_H

#define CCINIT_PORT	515

/* Ask the image with this CID; 0 when it said that it will, or -errno. */
int poweroff_ask(unsigned int cid);

#endif
