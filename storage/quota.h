/*
 * quota.h - how full mailboxes are, and what their owners have been told.
 */
#ifndef STORAGE_QUOTA_H
#define STORAGE_QUOTA_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct store;

struct quota {
	uint64_t account;
	uint64_t bytes, messages;
	uint64_t bytes_max, messages_max; /* 0: no limit; not both */
	unsigned warned; /* percent that was told last; 0: nothing */
};

/* Accounts with a limit of their own or a warning, by id, those > after. */
PH_MUSTUSE int quota_list(struct store *s, uint64_t after, struct quota *v,
    size_t cap, size_t *n_out);
/* How full: the larger of the two. */
unsigned quota_percent(const struct quota *q);

/* percent 0: the warning is over. */
PH_MUSTUSE int quota_set_warned(
    struct store *s, uint64_t account, unsigned percent, int64_t now);

#endif
