/* SPDX-License-Identifier: GPL-2.0-only */
#include "build.h"

#ifndef COWSCOPE_COMMIT
#define COWSCOPE_COMMIT ""
#endif

const char *cowscope_build_commit(void) { return COWSCOPE_COMMIT; }
