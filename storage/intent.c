#include "storage/intent.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/chunk.h"
#include "storage/msg.h"
#include "storage/msg_expunge.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

enum {
	KEY = 10,
	HEAD = 24,
	RANGE = 8,
	PART_RANGES = 25000, /* a part stays below CHUNKS_MAX chunks */
	PART_MAX = HEAD + PART_RANGES * RANGE
};

/* One part: UIDs of one folder. */
struct part {
	uint8_t key[KEY];
	struct buf rec;
};

/* An intent on its way into the table. */
struct intent {
	struct part *parts;
	size_t n, cap;
};

/* ---- making ---- */

static struct part *
add_part(struct intent *in, uint64_t id, uint64_t account, uint64_t folder)
{
	char head[HEAD];
	struct part *p;

	in->parts = mem_grow(in->parts, &in->cap, in->n, sizeof(*in->parts));
	p = &in->parts[in->n];
	num_put64(p->key, id);
	num_put16(p->key + 8, (uint16_t)in->n++);
	num_put64(head, account);
	num_put64(head + 8, folder);
	num_put64(head + 16, (uint64_t)clock_wall_sec());
	buf_init(&p->rec, PART_MAX);
	buf_add(&p->rec, head, sizeof(head));
	return p;
}

static void
add_group(
    struct intent *in, uint64_t id, uint64_t account, const struct msg_group *g)
{
	struct part *p = NULL;
	char range[RANGE];

	for (size_t i = 0, end; i < g->n; i = end) {
		for (end = i + 1;
		     end < g->n && g->uids[end] == g->uids[end - 1] + 1; end++)
			;
		if (p == NULL || buf_len(&p->rec) == PART_MAX)
			p = add_part(in, id, account, g->folder);
		num_put32(range, g->uids[i]);
		num_put32(range + 4, g->uids[end - 1]);
		buf_add(&p->rec, range, sizeof(range));
	}
}

static void
intent_fini(struct intent *in)
{
	for (size_t i = 0; i < in->n; i++)
		buf_fini(&in->parts[i].rec);
	free(in->parts);
}

static int
put_txn(struct db_txn *t, void *arg)
{
	struct intent *in = arg;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < in->n; i++)
		rc = chunk_put(t, T_INTENT, slice_of(in->parts[i].key, KEY),
		    buf_slice(&in->parts[i].rec), 0);
	return rc;
}

static int
del_txn(struct db_txn *t, void *arg)
{
	const struct part *p = arg;
	int rc =
	    chunk_del(t, T_INTENT, slice_of(p->key, KEY), buf_len(&p->rec));

	/* Somebody else has finished it. */
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* ---- doing ---- */

static int
expunge_ranges(
    struct store *s, uint64_t account, uint64_t folder, struct slice ranges)
{
	uint32_t uids[EXPUNGE_BATCH];
	size_t n = 0;
	int rc = 0;

	for (; rc == 0 && ranges.n >= RANGE;
	     ranges = slice_from(ranges, RANGE)) {
		uint64_t uid = num_get32(ranges.p);
		uint64_t last = num_get32(ranges.p + 4);

		for (; rc == 0 && uid <= last; uid++) {
			uids[n++] = (uint32_t)uid;
			if (n < EXPUNGE_BATCH)
				continue;
			rc = msg_expunge(
			    s, account, folder, uids, n, false, NULL);
			n = 0;
		}
	}
	if (rc == 0 && n != 0)
		rc = msg_expunge(s, account, folder, uids, n, false, NULL);
	return rc == ERR_NOTFOUND ? 0 : rc; /* the folder has gone */
}

static int
finish_part(struct store *s, struct part *p)
{
	struct slice rec = buf_slice(&p->rec);
	int rc = 0;

	if (rec.n >= HEAD && (rec.n - HEAD) % RANGE == 0)
		rc = expunge_ranges(s, num_get64(rec.p), num_get64(rec.p + 8),
		    slice_from(rec, HEAD));
	else
		log_error(
		    NULL, "index-damage", "record=intent bytes=%zu", rec.n);
	return rc != 0 ? rc : db_update(s->db, del_txn, p);
}

int
msg_expunge_all(struct store *s, uint64_t account,
    const struct msg_group *groups, size_t ngroups)
{
	struct intent in = { 0 };
	uint64_t id;
	int rc;

	if (ngroups == 0)
		return 0;
	if (ngroups == 1 && groups->n <= EXPUNGE_BATCH) {
		rc = msg_expunge(s, account, groups->folder, groups->uids,
		    groups->n, false, NULL);
		return rc == ERR_NOTFOUND ? 0 : rc;
	}
	id = store_new_id(s);
	for (size_t i = 0; i < ngroups; i++)
		add_group(&in, id, account, &groups[i]);
	rc = db_update(s->db, put_txn, &in);
	for (size_t i = 0; rc == 0 && i < in.n; i++)
		rc = finish_part(s, &in.parts[i]);
	intent_fini(&in);
	return rc;
}

/* ---- what was left behind ---- */

struct look {
	struct part part;
	uint8_t from[KEY + 1]; /* the first key not yet looked at */
	int64_t until;
};

static int
look_txn(struct db_txn *t, void *arg)
{
	struct look *k = arg;
	struct chunk_scan c;
	int rc;

	rc = chunk_scan_init(t, T_INTENT, slice_of(k->from, sizeof(k->from)),
	    (struct slice){ NULL, 0 }, &c);
	while (rc == 0 && (rc = chunk_scan_next(&c)) == 0) {
		struct slice rec = buf_slice(&c.rec);

		if (c.base_n != KEY)
			continue;
		if (rec.n >= HEAD && (int64_t)num_get64(rec.p + 16) > k->until)
			continue;
		memcpy(k->part.key, c.base, KEY);
		buf_clear(&k->part.rec);
		buf_add_slice(&k->part.rec, rec);
		break;
	}
	chunk_scan_fini(&c);
	return rc;
}

int
intents_finish(struct store *s, int64_t until, size_t most, bool *more_out)
{
	struct look k = { .until = until };
	int rc = 0;

	*more_out = false;
	buf_init(&k.part.rec, PART_MAX);
	for (size_t i = 0; i <= most; i++) {
		if ((rc = db_read(s->db, look_txn, &k)) != 0)
			break;
		*more_out = i == most;
		if (*more_out)
			break;
		log_info(NULL, "intent", "id=%llx part=%u",
		    (unsigned long long)num_get64(k.part.key),
		    num_get16(k.part.key + 8));
		if ((rc = finish_part(s, &k.part)) != 0)
			break;
		memcpy(k.from, k.part.key, KEY);
		k.from[KEY] = 0xff;
	}
	buf_fini(&k.part.rec);
	return rc == ERR_NOTFOUND ? 0 : rc;
}
