/*
 * arena.h - memory of one command, freed in one go.
 */
#ifndef LIB_BASE_ARENA_H
#define LIB_BASE_ARENA_H

#include <stddef.h>

#include "lib/base/slice.h"

struct arena_block;

struct arena {
	struct arena_block *head;
	size_t used; /* bytes handed out since the last clear */
};

void arena_init(struct arena *a);
/* Frees everything handed out. */
void arena_clear(struct arena *a);

/* Zeroed, aligned to 16; never NULL.  Callers cap sizes a peer chooses. */
void *arena_alloc(struct arena *a, size_t n) PH_MUSTUSE;
/* Unaligned bytes, not zeroed. */
char *arena_bytes(struct arena *a, size_t n) PH_MUSTUSE;
struct slice arena_copy(struct arena *a, struct slice s) PH_MUSTUSE;
/* A NUL-terminated copy. */
char *arena_str(struct arena *a, struct slice s) PH_MUSTUSE;
char *arena_printf(struct arena *a, const char *fmt, ...)
    PH_PRINTF(2, 3) PH_MUSTUSE;

#endif
