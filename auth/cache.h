/*
 * cache.h - good logins remembered, so that a mailbox polled every minute does
 * not pay the key derivation each time.
 *
 * What is kept is no password but an HMAC of it under a key of this process.
 * Bounded; the least used account goes first.  Thread-safe, never blocks.
 */
#ifndef AUTH_CACHE_H
#define AUTH_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache;

enum {
	CACHE_MAC = 32,
	CACHE_PER_ACCOUNT = 4, /* passwords */
	CACHE_FROMS = 8,       /* places */
	CACHE_TOLD_MS = 600000
};

/* What a login was proved with. */
struct cache_key {
	uint64_t account;
	uint64_t secret_version; /* an older one is forgotten */
	uint8_t mac[CACHE_MAC];
};

/* keep_ms 0: remembers nothing.  accounts_max: how many. */
struct cache *cache_new(uint64_t keep_ms, size_t accounts_max);
void cache_free(struct cache **c);
/* As if it had been so from the start for what is remembered: nothing is kept
 * longer than this from now. */
void cache_set_keep(struct cache *c, uint64_t keep_ms, uint64_t now_ms);

/* Is this login known as good? */
bool cache_get(struct cache *c, const struct cache_key *key, uint64_t now_ms,
    uint32_t *secret_id_out);
void cache_put(struct cache *c, const struct cache_key *key, uint64_t now_ms,
    uint32_t secret_id);
/* Has the account's login from there (a hash of whence and how) been recorded
 * in the last CACHE_TOLD_MS?  From now on it has, until *until_out; 0: nothing
 * is remembered. */
bool cache_told(struct cache *c, uint64_t account, uint64_t from,
    uint64_t now_ms, uint64_t *until_out);
/* account 0: all. */
void cache_forget(struct cache *c, uint64_t account);

#endif
