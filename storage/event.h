/*
 * event.h - what support asks for: logins, deliveries, refusals (O8).
 *
 * Kept per account for a set time.  Written without waiting for the disk.
 */
#ifndef STORAGE_EVENT_H
#define STORAGE_EVENT_H

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

struct store;

enum event_kind {
	EVENT_LOGIN = 1,
	EVENT_LOGIN_FAILED,
	EVENT_DELIVERY,
	EVENT_REFUSED,
	EVENT_CLIENT /* a session's program said who it is */
};

struct event {
	enum event_kind kind;
	int64_t at_ms;
	struct slice text; /* key=value ..., at most 400 bytes */
};

PH_MUSTUSE int event_add(
    struct store *s, uint64_t account, enum event_kind kind, struct slice text);
/* Newest first, at most cap. */
PH_MUSTUSE int event_list(struct store *s, uint64_t account, struct arena *a,
    struct event *v, size_t cap, size_t *n_out);
/* Removes at most `most` events older than `before_ms`. */
PH_MUSTUSE int event_sweep(
    struct store *s, int64_t before_ms, size_t most, size_t *gone_out);
/* Removes all of an account that ends; for storage/ only. */
PH_MUSTUSE int event_purge(struct store *s, uint64_t account);

#endif
