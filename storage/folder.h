/*
 * folder.h - an account's folders: names, attributes, counts.
 *
 * Names are UTF-8 (NFC), levels separated by '/', at most FOLDER_NAME_MAX
 * bytes; "INBOX" in any case is INBOX.  Folder ids are never reused.
 */
#ifndef STORAGE_FOLDER_H
#define STORAGE_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "storage/rights.h"

struct store;

enum {
	FOLDER_NAME_MAX = 255,
	FOLDER_LEVELS_MAX = 20,
	FOLDERS_PER_ACCOUNT_MAX = 10000,
	FOLDER_KEYWORDS_MAX = 48,
	FOLDER_KEYWORD_LEN_MAX = 100
};

/* Special use, RFC 6154 2; a folder has at most one. */
enum folder_use {
	USE_NONE,
	USE_ARCHIVE,
	USE_DRAFTS,
	USE_JUNK,
	USE_SENT,
	USE_TRASH
};

enum {
	FOLDER_SUBSCRIBED = 1,
	FOLDER_NOSELECT = 2 /* a name without messages; id is 0 */
};

struct folder_status {
	uint32_t uidvalidity, uidnext;
	uint32_t messages, unseen, deleted;
	uint32_t recent_from;   /* UIDs from here on are \Recent to the next
				 * session that selects the folder */
	uint64_t highestmodseq; /* at least 1 */
	uint64_t bytes;
};

struct folder_info {
	struct slice name;
	uint64_t id;
	uint64_t account; /* whose it is */
	unsigned rights;  /* of who asks; the owner has all */
	enum folder_use use;
	unsigned flags;
	bool has_children;
	struct folder_status status; /* when asked for */
};

/* A new account's folders: INBOX, Drafts, Sent, Junk, Trash, Archive, all
 * subscribed, with their special use.  Idempotent. */
PH_MUSTUSE int folder_create_defaults(struct store *s, uint64_t account);

/* All folders in name order (INBOX first), subscribed names without a folder
 * included as FOLDER_NOSELECT with id 0.  Memory from the arena. */
PH_MUSTUSE int folder_list(struct store *s, uint64_t account, bool with_status,
    struct arena *a, struct folder_info **v_out, size_t *n_out);

/* ERR_NOTFOUND (also for a subscription without a folder).  Case matters but
 * for INBOX.  info_out->name is the caller's slice; status is filled in. */
PH_MUSTUSE int folder_find(struct store *s, uint64_t account, struct slice name,
    struct folder_info *info_out);
PH_MUSTUSE int folder_status_get(
    struct store *s, uint64_t folder, struct folder_status *out);

/* Missing parents are made too (RFC 9051 6.3.4); one '/' at the end is
 * dropped.  ERR_EXISTS, ERR_INVALID (bad name), ERR_LIMIT, ERR_QUOTA (the
 * account's number of folders), ERR_UNSUPPORTED
 * (another folder has this use: RFC 6154 3, USEATTR).  use: USE_NONE picks the
 * role of a known German or English name when the account has no folder with
 * it (CLIENTS U2).  info_out may be NULL; its name is the caller's slice. */
PH_MUSTUSE int folder_create(struct store *s, uint64_t account,
    struct slice name, enum folder_use use, struct folder_info *info_out,
    struct err *e);
/* ERR_NOTFOUND; ERR_DENIED for INBOX.  A folder with children loses its
 * messages and stays selectable (CLIENTS D, Outlook).  A subscription stays
 * (RFC 9051 6.3.9). */
PH_MUSTUSE int folder_delete(
    struct store *s, uint64_t account, struct slice name, struct err *e);
/* The same, but only when there is nothing in it and below it; else
 * ERR_CONFLICT, and nothing happens. */
PH_MUSTUSE int folder_delete_empty(
    struct store *s, uint64_t account, struct slice name, struct err *e);
/* With children and subscriptions.  INBOX: its messages move to the new name,
 * INBOX and its children stay (RFC 9051 6.3.6).  ERR_NOTFOUND, ERR_EXISTS,
 * ERR_INVALID (bad name, or the new name is below the old one). */
PH_MUSTUSE int folder_rename(struct store *s, uint64_t account,
    struct slice from, struct slice to, struct err *e);
/* On: any name may be subscribed (ERR_INVALID, ERR_LIMIT).  Off: ERR_NOTFOUND
 * when it was not. */
PH_MUSTUSE int folder_subscribe(struct store *s, uint64_t account,
    struct slice name, bool on, struct err *e);

/* False: with why as a static text. */
bool folder_name_ok(struct slice name, const char **why_out);

/* The folder's keywords by bit; names borrowed from the arena; unused bits
 * have p == NULL. */
PH_MUSTUSE int folder_keywords(struct store *s, uint64_t folder,
    struct arena *a, struct slice names_out[FOLDER_KEYWORDS_MAX]);

#endif
