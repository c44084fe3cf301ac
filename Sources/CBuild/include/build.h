/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* The commit the program was built from, as Package.swift passes it; empty where the tree is no git repository. */
const char *cowscope_build_commit(void);
