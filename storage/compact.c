/*
 * A segment is hollow when less than half of it is of use: bodies the index
 * points to, and notes a rebuild would miss.  Its records are copied with the
 * ids they have, the copies reach the disk, and only then, in one transaction
 * for each batch, do the bodies' rows point to them.  Killed at any point: a
 * copy nobody points to is lost space; a moved body is in both places.
 */
#include "storage/compact.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "storage/body.h"
#include "storage/folder_row.h"
#include "storage/hot.h"
#include "storage/note_read.h"
#include "storage/segment_priv.h"
#include "storage/segment_row.h"
#include "storage/segment_scan.h"
#include "storage/store_priv.h"

enum {
	BATCH_BYTES = 8 << 20,
	BATCH_BODIES = 256,
	SEEN_MAX = 256, /* segments remembered as not hollow */
	DONE_MAX = 64
};

/* A segment looked at, and not worth it while so much of it lives. */
struct seen {
	uint32_t number;
	uint64_t live;
};

struct move {
	struct body_loc from, to;
};

struct compact {
	struct seen seen[SEEN_MAX];
	size_t nseen, seen_at;
	uint32_t done[DONE_MAX];
	size_t ndone;
	/* the one at work; 0: none */
	uint32_t number;
	uint64_t length, live, at;
	/* a batch */
	struct store *s;
	int fd;
	uint64_t dead; /* bytes of no use, while it is measured */
	struct move moves[BATCH_BODIES];
	size_t nmoves;
	uint64_t bytes;
};

struct compact *
compact_new(void)
{
	return xcalloc(1, sizeof(struct compact));
}

void
compact_free(struct compact **c)
{
	free(*c);
	*c = NULL;
}

bool
compact_done(const struct compact *c, uint32_t number)
{
	for (size_t i = 0; i < c->ndone; i++)
		if (c->done[i] == number)
			return true;
	return false;
}

void
compact_forget(struct compact *c, uint32_t number)
{
	for (size_t i = 0; i < c->ndone; i++)
		if (c->done[i] == number)
			c->done[i] = c->done[--c->ndone];
}

/* ---- what is of use ---- */

struct ask {
	const struct note *n;
	bool folder, use;
	struct hot_run run;
	uint32_t run_nr;
	struct db_txn *t;
	int rc;
};

/* The message with this UID, if the folder has it. */
static bool
find_hot(struct ask *a, uint32_t uid, struct hot_entry *out)
{
	uint32_t nr = hot_run_of(uid), i;

	if (nr != a->run_nr) {
		a->run_nr = nr;
		a->rc = hot_load(a->t, a->n->folder, nr, false, &a->run);
		if (a->rc != 0)
			a->run.n = 0;
	}
	i = hot_lower(a->run.bytes, a->run.n, uid);
	if (i == a->run.n || hot_uid(a->run.bytes, i) != uid)
		return false;
	hot_get(a->run.bytes, i, out);
	return true;
}

static bool
state_counts(const struct note_uid *u, void *arg)
{
	struct ask *a = arg;
	struct hot_entry e;

	if (!u->gone && find_hot(a, u->uid, &e) && e.modseq <= a->n->modseq)
		a->use = true;
	return !a->use && a->rc == 0;
}

static int
ask_txn(struct db_txn *t, void *arg)
{
	struct ask *a = arg;
	struct folder_row row;
	struct hot_entry e;
	int rc = folder_row_get(t, a->n->folder, false, &row);

	a->t = t;
	a->use = false;
	a->run_nr = UINT32_MAX;
	a->rc = 0;
	a->folder = rc == 0;
	if (rc != 0)
		return rc == ERR_NOTFOUND ? 0 : rc;
	if (a->n->uid != 0)
		a->use = find_hot(a, (uint32_t)a->n->uid, &e);
	else if (a->n->has_state && !a->n->has_gone)
		(void)note_each_uid(a->n, state_counts, a);
	else
		a->use = true; /* gone, made, renamed, a keyword */
	return a->rc;
}

/* Of a folder that is gone only that is worth knowing. */
static int
note_of_use(struct store *s, const struct seg_found *f, bool *use_out)
{
	struct note n;
	struct ask a = { .n = &n };
	int rc;

	*use_out = true; /* what we cannot read may be of a later version */
	if (!note_decode(f->desc, &n))
		return 0;
	if ((rc = db_read(s->db, ask_txn, &a)) == 0)
		*use_out = a.folder ? a.use : n.deleted.p != NULL;
	return rc;
}

struct where {
	uint64_t id;
	struct body_loc loc;
};

static int
where_txn(struct db_txn *t, void *arg)
{
	struct where *w = arg;

	return body_get(t, w->id, &w->loc);
}

static int
of_use(struct compact *c, const struct seg_found *f, struct body_loc *loc,
    bool *use_out)
{
	struct where w = { .id = f->rec.id };
	int rc;

	if (f->rec.kind != REC_BODY)
		return note_of_use(c->s, f, use_out);
	rc = db_read(c->s->db, where_txn, &w);
	*use_out =
	    rc == 0 && w.loc.segment == c->number && w.loc.offset == f->offset;
	*loc = w.loc;
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* ---- choosing ---- */

static bool
was_seen(const struct compact *c, uint32_t number, uint64_t live)
{
	for (size_t i = 0; i < c->nseen; i++)
		if (c->seen[i].number == number && c->seen[i].live == live)
			return true;
	return false;
}

static void
see(struct compact *c)
{
	c->seen[c->seen_at] = (struct seen){ c->number, c->live };
	c->seen_at = (c->seen_at + 1) % SEEN_MAX;
	if (c->nseen < SEEN_MAX)
		c->nseen++;
	c->number = 0;
}

static int
choose(uint32_t number, const struct segment_row *row, void *arg)
{
	struct compact *c = arg;

	if (row->state != SEGMENT_SEALED || row->owner != 0 ||
	    row->length <= SEG_HEADER || row->live >= row->length / 2 ||
	    compact_done(c, number) || was_seen(c, number, row->live))
		return 0;
	c->number = number;
	c->length = row->length;
	c->live = row->live;
	c->at = SEG_HEADER;
	return ERR_EXISTS; /* one is enough */
}

static int
choose_txn(struct db_txn *t, void *arg)
{
	struct compact *c = arg;

	c->number = 0;
	return segment_row_each(t, choose, c);
}

static int
measure(const struct seg_found *f, void *arg)
{
	struct compact *c = arg;
	struct body_loc loc;
	bool use;
	int rc = of_use(c, f, &loc, &use);

	if (rc == 0 && !use)
		c->dead += seg_rec_total(&f->rec);
	return rc;
}

/* ---- moving ---- */

static int
copy_body(
    struct compact *c, const struct seg_found *f, const struct body_loc *loc)
{
	struct move *m = &c->moves[c->nmoves];
	struct slice bytes;
	struct buf b;
	int rc;

	buf_init(&b, f->rec.length + 1);
	rc = segment_read(c->s, loc, 0, f->rec.length, NULL, &b);
	bytes = b.p != NULL ? buf_slice(&b) : SLICE("");
	if (rc == 0)
		rc = segment_put_copy(c->s, &f->rec, f->desc, bytes, &m->to);
	if (rc == 0 && m->to.crc != loc->crc)
		rc = ERR_CORRUPT;
	buf_fini(&b);
	if (rc != 0)
		return rc;
	m->from = *loc;
	c->nmoves++;
	return 0;
}

static int
copy_record(const struct seg_found *f, void *arg)
{
	struct compact *c = arg;
	struct body_loc loc;
	bool use;
	int rc;

	if (c->nmoves == BATCH_BODIES || c->bytes >= BATCH_BYTES)
		return ERR_EXISTS; /* a full batch */
	rc = of_use(c, f, &loc, &use);
	if (rc == 0 && use && f->rec.kind == REC_BODY)
		rc = copy_body(c, f, &loc);
	else if (rc == 0 && use)
		rc = segment_put_copy(c->s, &f->rec, f->desc, SLICE(""), &loc);
	if (rc != 0)
		return rc;
	if (use)
		c->bytes += seg_rec_total(&f->rec);
	c->at = f->offset + seg_rec_total(&f->rec);
	return 0;
}

static int
cmp_move(const void *a, const void *b)
{
	const struct move *x = a, *y = b;

	return (x->from.id > y->from.id) - (x->from.id < y->from.id);
}

static int
point_txn(struct db_txn *t, void *arg)
{
	struct compact *c = arg;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < c->nmoves; i++) {
		rc = body_move(t, &c->moves[i].from, &c->moves[i].to);
		if (rc == ERR_NOTFOUND)
			rc = 0; /* expunged meanwhile */
	}
	return rc;
}

/* The copies are on disk before a row points to them. */
static int
point(struct compact *c)
{
	int rc;

	if (c->bytes == 0)
		return 0;
	if ((rc = store_sync_now(c->s)) != 0 || c->nmoves == 0)
		return rc;
	qsort(c->moves, c->nmoves, sizeof(*c->moves), cmp_move);
	return db_update(c->s->db, point_txn, c);
}

static int
scan(struct compact *c, int (*fn)(const struct seg_found *f, void *arg))
{
	struct segment_files *files = c->s->segments->files;
	struct seg_scan_result res;
	struct segment_file *file;
	int rc = segment_file_get(files, c->number, &file);

	if (rc != 0)
		return rc;
	c->fd = segment_file_fd(file);
	rc = segment_scan(c->fd, c->at, c->length, fn, c, &res);
	segment_file_put(files, &file);
	return rc;
}

/* *found_out: there was one to look at. */
static int
begin(struct compact *c, bool *found_out)
{
	int rc = db_read(c->s->db, choose_txn, c);

	*found_out = rc == ERR_EXISTS;
	if (!*found_out)
		return rc;
	c->dead = 0;
	rc = scan(c, measure);
	if (rc != 0 || c->dead < c->length / 2) {
		if (rc != 0)
			log_error(NULL, "compact", "segment=%08x err=%s",
			    c->number, err_name(rc));
		see(c);
		return 0;
	}
	log_info(NULL, "compact", "segment=%08x length=%llu dead=%llu",
	    c->number, (unsigned long long)c->length,
	    (unsigned long long)c->dead);
	return 0;
}

static int
move_batch(struct compact *c)
{
	int rc;

	c->nmoves = 0;
	c->bytes = 0;
	rc = scan(c, copy_record);
	if (rc != 0 && rc != ERR_EXISTS) {
		/* A damaged body stays where it is, and its segment with it. */
		log_error(NULL, "compact", "segment=%08x offset=%llu err=%s",
		    c->number, (unsigned long long)c->at, err_name(rc));
		rc = point(c);
		see(c);
		return rc;
	}
	if (rc == ERR_EXISTS)
		return point(c);
	if ((rc = point(c)) == 0)
		c->done[c->ndone++] = c->number;
	c->number = 0;
	return rc;
}

int
compact_step(struct store *s, struct compact *c, bool *more_out)
{
	int rc = 0;

	c->s = s;
	*more_out = true; /* this one, or another */
	if (!store_has_space(s) || c->ndone == DONE_MAX) {
		*more_out = false; /* it takes some to give some back */
		return 0;
	}
	if (c->number == 0)
		rc = begin(c, more_out);
	else
		rc = move_batch(c);
	*more_out &= rc == 0;
	return rc;
}
