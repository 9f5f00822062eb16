/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICE_H
#define DEVICE_H

int device_init(void);
void device_exit(void);

#endif
