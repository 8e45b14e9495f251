/*
 * mem.h - heap memory that is there or the process ends.
 *
 * Callers cap every size that a peer chooses before they come here.
 */
#ifndef LIB_BASE_MEM_H
#define LIB_BASE_MEM_H

#include <stddef.h>

#include "lib/base/ph.h"

void *xmalloc(size_t n) PH_MUSTUSE;
void *xcalloc(size_t count, size_t size) PH_MUSTUSE;
void *xrealloc(void *p, size_t n) PH_MUSTUSE;
char *xstrdup(const char *s) PH_MUSTUSE;

/* A new block of n + 1 bytes: a copy of p[0..n) and a NUL. */
char *xmemdup0(const void *p, size_t n) PH_MUSTUSE;

/* printf into a new string. */
char *xasprintf(const char *fmt, ...) PH_PRINTF(1, 2) PH_MUSTUSE;

/*
 * Room for one more in a growing array: `*cap` is its size in elements of
 * `size` bytes, `used` of them in use.  Doubles; returns the (moved) array.
 */
void *mem_grow(void *array, size_t *cap, size_t used, size_t size) PH_MUSTUSE;

/* Overwrites secrets in a way the compiler keeps. */
void mem_wipe(void *p, size_t n);

#endif
