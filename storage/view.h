/*
 * view.h - one session's picture of one folder.
 *
 * In memory a folder is an image: a vector of immutable runs of up to 32
 * messages (UID / 32), shared by all sessions of the process and refreshed run
 * by run.  A view holds the image its peer has been told about; view_sync()
 * moves it to the present and says what changed.  A view is used by one
 * thread at a time.
 */
#ifndef STORAGE_VIEW_H
#define STORAGE_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

struct store;
struct view;

/* System flags; the bits of the hot table. */
enum msg_flag {
	MSG_SEEN = 1,
	MSG_ANSWERED = 2,
	MSG_FLAGGED = 4,
	MSG_DELETED = 8,
	MSG_DRAFT = 16,
	MSG_SYSTEM_FLAGS = 31
};

struct view_msg {
	uint32_t uid;
	uint32_t flags;    /* enum msg_flag */
	uint64_t keywords; /* by bit, see folder_keywords() */
	uint64_t modseq;
	bool recent;
};

/* read_only: claims no \Recent. */
PH_MUSTUSE int view_open(struct store *s, uint64_t account, uint64_t folder,
    bool read_only, struct view **view_out);
/* The same when nothing need be read nor written; NULL: ask view_open().  Never
 * blocks: may run on a loop. */
struct view *view_open_now(
    struct store *s, uint64_t account, uint64_t folder, bool read_only);
void view_close(struct view **v);
/* The same when that need not wait: false, and nothing has happened. */
bool view_close_now(struct view **v);
/* Never waits: as if it had been read only. */
void view_drop(struct view **v);
/* Closes and opens it again; false when that would have to wait for the index:
 * nothing has happened then.  Never blocks: may run on a loop. */
bool view_reopen(struct view *v, bool read_only);

uint64_t view_folder(const struct view *v);
uint64_t view_account(const struct view *v);
uint32_t view_uidvalidity(const struct view *v);
uint32_t view_uidnext(const struct view *v);
uint64_t view_modseq(const struct view *v);
uint32_t view_count(const struct view *v);  /* EXISTS */
uint32_t view_recent(const struct view *v); /* RECENT */
/* Sizes of all messages together, as long as view_sync() has held none back. */
uint64_t view_octets(const struct view *v);

/* seq: 1..view_count(). */
void view_get(const struct view *v, uint32_t seq, struct view_msg *out);
/* The same for those who go through many in order: a few are read ahead.  Zero
 * to begin with; forgotten when the view is synchronized. */
enum { VIEW_AHEAD = 32 };
struct view_cur {
	uint32_t first, n;
	struct view_msg m[VIEW_AHEAD];
};
const struct view_msg *view_at(
    const struct view *v, struct view_cur *c, uint32_t seq);
/* UIDs of the messages seq, seq + 1 ..., at most cap; how many. */
size_t view_uids(
    const struct view *v, uint32_t seq, uint32_t *uids, size_t cap);
/* The sequence number of the UID, 0 when it is not in the view. */
uint32_t view_seq(const struct view *v, uint32_t uid);
/* The first sequence number whose UID is >= uid; view_count() + 1: none. */
uint32_t view_seq_from(const struct view *v, uint32_t uid);
/* The first message without \Seen, or 0. */
uint32_t view_first_unseen(const struct view *v);

/* Is there news?  Never blocks: compares with the process's image and with
 * notifications; false negatives end at the next view_sync(). */
bool view_stale(const struct view *v);

struct view_gone {
	uint32_t seq; /* as it was when this expunge is announced: tell them
			 * in the array's order */
	uint32_t uid;
};

struct view_delta {
	struct view_gone *gone; /* highest sequence number first */
	size_t ngone;
	uint32_t *changed; /* sequence numbers after the expunges, rising:
				 * flags or keywords differ */
	size_t nchanged;
	bool more;        /* EXISTS has grown (or shrunk by others) */
	bool folder_gone; /* the folder was deleted */
	uint64_t modseq_before;
};

/*
 * Brings the view up to date and says what changed.  may_expunge false: keeps
 * expunged messages in place (FETCH, STORE, SEARCH forbid EXPUNGE, RFC 9051
 * 7.5.1) and shows them at a later sync.  *delta is the caller's: free with
 * view_delta_fini().  Reads the index only for runs that changed.
 */
PH_MUSTUSE int view_sync(
    struct view *v, bool may_expunge, struct view_delta *delta);
void view_delta_fini(struct view_delta *d);

/* This session changed these flags itself and has told its peer: the next
 * view_sync() is silent about that state of it. */
void view_seen_changes(
    struct view *v, const uint32_t *uids, const uint64_t *modseqs, size_t n);

/* UIDs expunged since `modseq` (QRESYNC), rising, from the gone table;
 * ERR_NOTFOUND when the table does not reach back so far. */
PH_MUSTUSE int view_gone_since(
    struct view *v, uint64_t modseq, uint32_t **uids_out, size_t *n_out);

#endif
