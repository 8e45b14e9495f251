/*
 * metadata.h - annotations (RFC 5464): small values under names, for a folder
 * or for the server, shared by all who may see it or one account's own.
 *
 * Names are ASCII and compare without case; they are kept in lower case.
 * Server entries are private only: the shared ones are the operator's, in the
 * configuration.
 */
#ifndef STORAGE_METADATA_H
#define STORAGE_METADATA_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "storage/folder.h"

struct store;

enum {
	METADATA_NAME_MAX = 200,
	METADATA_VALUE_MAX = 200 << 10, /* the option may only be lower */
	METADATA_ENTRIES_MAX = 100,     /* of a folder, shared or private */
	METADATA_TOTAL_MAX = 16 << 20   /* bytes of an account */
};

/* Well-formed (RFC 5464 3.2), with "/private" or "/shared" in front. */
bool metadata_name_ok(struct slice name);
bool metadata_is_private(struct slice name);

struct metadata {
	struct slice name;
	struct slice value; /* p == NULL: none */
};

/* Whose and where. */
struct metadata_at {
	uint64_t folder; /* 0: the server */
	uint64_t owner;  /* of the folder */
	uint64_t user;   /* who asks */
};

/* The entry of this name and those up to depth levels below it, as far as
 * they have values; memory from the arena, added behind v[*n] (grown there).
 */
struct metadata_list {
	struct metadata *v;
	size_t n, cap;
};
PH_MUSTUSE int metadata_get(struct store *s, const struct metadata_at *at,
    struct slice name, unsigned depth, struct arena *a,
    struct metadata_list *l);

/* A folder's special use changes with its entry (RFC 6154 4). */
struct metadata_use {
	struct slice name; /* of the folder */
	enum folder_use use;
	/* result: the folder that has lost it; n 0: none */
	char lost[FOLDER_NAME_MAX];
	size_t lost_n;
};

/* All of them or none.  use: NULL when that is not to change.  ERR_LIMIT: too
 * many; ERR_QUOTA: the account's bytes are used up; ERR_NOTFOUND: the folder
 * is gone. */
PH_MUSTUSE int metadata_set(struct store *s, const struct metadata_at *at,
    const struct metadata *v, size_t n, struct metadata_use *use);

/* RFC 5464 4.1: what INBOX has its messages' new folder gets too. */
PH_MUSTUSE int metadata_copy(
    struct store *s, uint64_t owner, uint64_t from, uint64_t to);
/* What an account that ends had of its own. */
PH_MUSTUSE int metadata_purge_account(struct store *s, uint64_t account);

#endif
