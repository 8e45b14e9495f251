/*
 * submit.h - what a submission means besides its delivery, in the same
 * transaction: it is counted, it is remembered so that a repetition is known,
 * and its copy in Sent shows its fate (FORMAT, tables sent and fate).
 */
#ifndef STORAGE_SUBMIT_H
#define STORAGE_SUBMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/sending.h"

struct deliver;
struct deliver_target;
struct queue_row;

enum { SUBMIT_KEY_LEN = 16, SUBMIT_REMEMBER_SEC = 3600 };

struct submit {
	uint64_t account;
	struct sending *sending; /* NULL: nothing limits it */
	/* What makes it the same message as another: hash of Message-ID,
	 * envelope and body. */
	bool has_key;
	uint8_t key[SUBMIT_KEY_LEN];
	uint64_t id; /* under which it is accepted */
	/* The copy among the targets of the first message, or NULL.  Rows of
	 * the queue get its place. */
	const struct deliver_target *sent;
	uint8_t msgid[SUBMIT_KEY_LEN]; /* hash of the Message-ID alone */
	/* result: deliver() says ERR_EXISTS and this is the first one's id */
	uint64_t first_id;
};

/* The order of their rows. */
int submit_cmp(const struct submit *a, const struct submit *b);

void submit_hash_msgid(struct slice msgid, uint8_t out[SUBMIT_KEY_LEN]);

/* The copy that the server itself put into this folder for the message with
 * this Message-ID, within the last hour or two: ERR_NOTFOUND: there is none,
 * or it is there no more. */
PH_MUSTUSE int submit_find_sent(struct store *s, uint64_t account,
    uint64_t folder, struct slice msgid, uint32_t *uidvalidity_out,
    uint32_t *uid_out);

/* Was the message with this body called back, within the last hour or two? */
PH_MUSTUSE int submit_recalled(
    struct store *s, uint64_t account, uint64_t body, bool *recalled_out);

/* Forgets what is too old; at most `most` rows.  *gone_out may be NULL. */
PH_MUSTUSE int submit_sweep(
    struct store *s, int64_t now, size_t most, size_t *gone_out);

#endif
