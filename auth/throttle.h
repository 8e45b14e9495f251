/*
 * throttle.h - guessing is slowed down and stopped, an office behind one
 * address is not (CLIENTS O6).
 *
 * Counted are distinct wrong passwords per login name and source, a source
 * being an IPv4 address or an IPv6 /64: a device that repeats one old password
 * all day is one strike.  Many strikes delay, more block this name from this
 * source only; wrong passwords for many names block the source.  All of it
 * ends by itself.  Kept in memory, per process, bounded; of passwords only a
 * keyed hash.  Thread-safe, never blocks.
 */
#ifndef AUTH_THROTTLE_H
#define AUTH_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"

struct throttle;

/* The limits, in one place. */
struct throttle_limits {
	unsigned delay_from; /* strikes until each next one must wait */
	uint64_t delay_ms;   /* doubles with each, to delay_max_ms */
	uint64_t delay_max_ms;
	unsigned block_from; /* strikes until name and source are blocked */
	uint64_t block_ms;
	uint64_t strike_ms;        /* a strike is forgotten after this */
	unsigned blind_per_strike; /* failures whose password is not
					 * known (SCRAM) that make one */
	unsigned names_max;        /* names with strikes until the source is
				 * blocked */
	uint64_t source_block_ms;
	unsigned suspect_names;        /* throttle_suspects() */
	uint64_t tell_ms;              /* throttle_tell() */
	size_t pairs_max, sources_max; /* how many are remembered */
};
extern const struct throttle_limits throttle_defaults;

/* limits: static, or outlives it. */
struct throttle *throttle_new(const struct throttle_limits *limits);
void throttle_free(struct throttle **t);

/* One attempt; made by the caller. */
struct throttle_try {
	struct slice name; /* the account, or what was typed; borrowed */
	const char *ip;    /* "" for a Unix socket */
	uint64_t mac;      /* keyed hash of the password; 0: not known */
};

/*
 * May it be tried?  0: yes, and throttle_end() must follow.  ERR_AUTH: no
 * need, this password was wrong before.  ERR_LIMIT: not now; e says how long.
 */
PH_MUSTUSE int throttle_begin(struct throttle *t, const struct throttle_try *tr,
    uint64_t now_ms, struct err *e);

/* Does nothing at all stand against this name from there? */
bool throttle_clean(
    struct throttle *t, const struct throttle_try *tr, uint64_t now_ms);

enum throttle_end {
	THROTTLE_GOOD, /* all strikes of name and source are forgotten */
	THROTTLE_WRONG,
	THROTTLE_VOID /* it came to nothing: not counted */
};
void throttle_end(struct throttle *t, const struct throttle_try *tr,
    enum throttle_end how, uint64_t now_ms);

/* Is this failure worth a record?  At most once a minute for a name and source,
 * whatever they try. */
bool throttle_tell(
    struct throttle *t, const struct throttle_try *tr, uint64_t now_ms);

/* Had this source strikes for suspect_names names, and not long ago? */
bool throttle_suspects(struct throttle *t, const char *ip, uint64_t now_ms);

/* How many strikes count now; for tests and the log. */
unsigned throttle_strikes(
    struct throttle *t, const struct throttle_try *tr, uint64_t now_ms);

#endif
