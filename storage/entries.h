/*
 * entries.h - rows of the entry table in memory: dates, sizes and message ids
 * of a folder.  They never change while the message is there, so a copy is as
 * good as the row; one of an expunged message only says what it was.
 *
 * For storage/ only.  Never blocks for long.
 */
#ifndef STORAGE_ENTRIES_H
#define STORAGE_ENTRIES_H

#include <stdbool.h>

#include "storage/entry.h"

struct store;
struct entries;

/* The folder's; give it back. */
struct entries *entries_take(struct store *s, uint64_t folder);
void entries_give(struct store *s, struct entries **e);

/* True when all of these UIDs (rising) are known, and are this account's. */
bool entries_get(struct entries *e, uint64_t account, const uint32_t *uids,
    size_t n, struct entry_brief *out);
/* Remembers a row of a folder that was seen to be the account's. */
void entries_add(
    struct entries *e, uint64_t account, uint32_t uid, const struct entry *row);

#endif
