/*
 * msg.h - messages of a folder: what the index knows, changes, bodies.
 *
 * UID lists are sorted, without doubles.  A UID that is not there (expunged
 * meanwhile) is skipped, never an error; it may still be told while the keeper
 * has not released it, and where MSG_WANT_INFO is all that is wanted, when
 * this process has read it before.
 */
#ifndef STORAGE_MSG_H
#define STORAGE_MSG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "storage/folder.h"
#include "storage/view.h"

struct segment_ahead;
struct store;

/* What the index knows of one message.  Slices are borrowed from the
 * iterator until its next batch (see msg_iter_next). */
struct msg_meta {
	uint32_t uid;
	uint64_t msgid; /* per account; the same in every folder */
	uint64_t thread;
	int64_t internal_date; /* seconds */
	int64_t save_date;
	uint64_t size;     /* RFC822.SIZE: prefix and body */
	struct slice uidl; /* POP3 unique-id as shown; MSG_WANT_UIDL */
	/* with MSG_WANT_META only: */
	uint64_t body;         /* body id; 0: the record is damaged, what
				 * follows is empty and msg_read() fails */
	uint32_t header_bytes; /* header block with its blank line, prefix
				 * included */
	struct slice prefix;   /* header bytes of this copy alone, in front */
	/* p == NULL in what follows: not kept because it was too large (tens
	 * of KiB); make it from the message */
	struct slice envelope;      /* as sent, "(...)" */
	struct slice bodystructure; /* extended form, "(...)" */
	struct slice structure; /* lib/mail/mime.h mime_load(); offsets count
				 * from the start of the body, after prefix */
	struct slice headers;   /* the fields of msg_cached_header(), raw, with
				 * CRLF, prefix fields first */
	struct slice preview;   /* UTF-8 */
	/* private hint */
	uint32_t hint_segment;
	uint64_t hint_offset;
	uint32_t hint_crc;
	uint32_t body_bytes;
	struct segment_ahead *ahead; /* of the iterator, while it is open */
};

/* Is this field among those `headers` holds (or proves absent)? */
bool msg_cached_header(struct slice name);

enum {                     /* a sum */
	MSG_WANT_INFO = 0, /* entry table only: POP3 LIST, SIZE, dates */
	MSG_WANT_META = 1, /* also the message table */
	MSG_WANT_UIDL = 2
};

/* Walks messages of a folder in UID order, reading in batches of one short
 * transaction each.  uids (copied) may be NULL: all; in both cases from `from`
 * on. */
struct msg_iter;
PH_MUSTUSE int msg_iter_open(struct store *s, uint64_t account, uint64_t folder,
    const uint32_t *uids, size_t n, uint32_t from, unsigned want,
    struct msg_iter **it_out);
/* Other UIDs of the folder with one that was opened for UIDs: what it has
 * learnt of the sizes there serves them, too. */
void msg_iter_again(struct msg_iter *it, const uint32_t *uids, size_t n);
/* ERR_NOTFOUND at the end.  *m_out is valid until the next call. */
PH_MUSTUSE int msg_iter_next(struct msg_iter *it, struct msg_meta *m_out);
void msg_iter_close(struct msg_iter **it);

/* What POP3 lists, and no more: the messages with UIDs from `from` on, rising,
 * at most cap of them; fewer: there are no more.  A uidl without bytes (p ==
 * NULL) is the usual one, "UIDVALIDITY.UID"; others live in the arena. */
struct msg_brief {
	uint32_t uid;
	uint64_t size;
	struct slice uidl;
};
PH_MUSTUSE int msg_briefs(struct store *s, uint64_t account, uint64_t folder,
    uint32_t from, struct arena *a, struct msg_brief *v, size_t cap,
    size_t *n_out);
/* The sizes of those whose UIDs (rising) stand in v, from memory; false: not
 * all are known.  Never blocks for long. */
bool msg_sizes(struct store *s, uint64_t account, uint64_t folder,
    struct msg_brief *v, size_t n);

/* One message, with MSG_WANT_META; slices live in the arena. */
PH_MUSTUSE int msg_meta_get(struct store *s, uint64_t account, uint64_t folder,
    uint32_t uid, struct arena *a, struct msg_meta *m_out);

/* Appends bytes [off, off + n) of the whole message (prefix, then body) to
 * out, fewer at its end.  A whole read (off 0, n >= size) of up to 1 MiB
 * verifies the CRC first: ERR_CORRUPT.  ERR_NOTFOUND: expunged meanwhile.
 * ERR_TOOBIG: out is full. */
PH_MUSTUSE int msg_read(struct store *s, const struct msg_meta *m, uint64_t off,
    size_t n, struct buf *out);

enum msg_op { MSG_OP_SET, MSG_OP_ADD, MSG_OP_DEL };

struct msg_change {
	const uint32_t *uids;
	size_t n;
	enum msg_op op;
	uint32_t flags;               /* enum msg_flag */
	const struct slice *keywords; /* names; new ones get a bit */
	size_t nkeywords;
	uint32_t fixed;           /* flags that stay as they are */
	bool fixed_keywords;      /* and keywords do */
	uint64_t unchanged_since; /* CONDSTORE; UINT64_MAX: no condition */
	/* results; arrays are the caller's to free */
	uint64_t modseq;   /* of the (last) change; 0: there was none */
	uint32_t *changed; /* UIDs whose flags really changed */
	uint64_t *modseqs; /* of each of them, for view_seen_changes(): a
				 * large change is several transactions */
	size_t nchanged;
	uint32_t *failed; /* UIDs with a later MODSEQ (MODIFIED) */
	size_t nfailed;
};

/* ERR_LIMIT: too many keywords in the folder.  One transaction per 2,048
 * messages. */
PH_MUSTUSE int msg_store_flags(
    struct store *s, uint64_t account, uint64_t folder, struct msg_change *ch);
void msg_change_fini(struct msg_change *ch);

/* Removes these messages (only_deleted: those of them with \Deleted; uids
 * NULL: all).  *gone_out (may be NULL): how many went.  Of many, what they
 * were is released by the keeper, some time later. */
PH_MUSTUSE int msg_expunge(struct store *s, uint64_t account, uint64_t folder,
    const uint32_t *uids, size_t n, bool only_deleted, size_t *gone_out);

/* Messages of one folder, as above. */
struct msg_group {
	uint64_t folder;
	const uint32_t *uids;
	size_t n;
};
/* The same of several folders and of any number, all or nothing: what a crash
 * cuts short is done by the recovery behind it, what fails for other reasons
 * by the keeper.  A folder that is not there is passed over. */
PH_MUSTUSE int msg_expunge_all(struct store *s, uint64_t account,
    const struct msg_group *groups, size_t ngroups);

struct msg_copied {
	uint32_t uidvalidity; /* of the target */
	uint32_t *from, *to;  /* UIDs, pairwise; the caller frees */
	size_t n;
};

enum msg_copy_how {
	MSG_COPY = 0,
	MSG_MOVE = 1,         /* they leave where they were */
	MSG_COPY_NO_SEEN = 2, /* without this flag (RFC 4314 4) */
	MSG_COPY_NO_DELETED = 4,
	MSG_COPY_NO_OTHERS = 8 /* without other flags and keywords */
};
/* One transaction, all or nothing, up to 10,000 messages; larger sets go in
 * several, each whole.  ERR_QUOTA, ERR_NOTFOUND (target).  how: a sum of
 * msg_copy_how. */
PH_MUSTUSE int msg_copy(struct store *s, uint64_t account, uint64_t folder,
    const uint32_t *uids, size_t n, uint64_t to_account, uint64_t to_folder,
    unsigned how, struct msg_copied *out);
void msg_copied_fini(struct msg_copied *c);

#endif
