# SPDX-License-Identifier: GPL-2.0-only
# Unit tests are added by the fragment of the directory that they test.
