/*
 * interest.h - which folders and accounts a process wants to hear of, in a
 * file beside its socket that senders map: most deliveries are to mailboxes
 * that nobody looks at, and wake nobody.
 *
 * A table of counters by hash: who shares a counter is told too much, never
 * too little.  For storage/notify.c only.
 */
#ifndef STORAGE_INTEREST_H
#define STORAGE_INTEREST_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

struct interest;

/* Where a folder, or (folder 0) all folders of an account, are counted. */
uint16_t interest_slot(uint64_t account, uint64_t folder);

/* The process's own.  path is copied; the file goes with interest_free(). */
PH_MUSTUSE int interest_new(const char *path, struct interest **in_out);
void interest_free(struct interest **in);
/* by: 1 or -1.  Any thread. */
void interest_add(struct interest *in, uint16_t slot, int by);

/* Another's, to look at; NULL: it has none, and wants everything. */
const uint16_t *interest_map(const char *path);
void interest_unmap(const uint16_t *map);
static inline bool
interest_has(const uint16_t *map, uint16_t slot)
{
	return __atomic_load_n(&map[slot], __ATOMIC_ACQUIRE) != 0;
}

#endif
