/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* The cache line at the address will be read soon. No more than a hint: the address need not be mapped. */
static inline void prefetch_line(const void *address)
{
	__builtin_prefetch(address);
}
