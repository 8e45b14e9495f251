/*
 * Appending and syncing; segment_read.c reads.  An offset is reserved under
 * the mutex and written outside it, so records may end in another order than
 * they began; what is certainly on disk ends where the first write at work
 * begins.
 */
#include "storage/segment.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/crc32c.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/rec.h"
#include "storage/segment_priv.h"
#include "storage/store_priv.h"

enum {
	TAG_DATE = 1, /* of a BODY's description */
	PARTS_AT_ONCE = 64,
	SYNC_AT_ONCE = 16,
	NOTES_FULL = 64 << 10, /* written without waiting for a sync */
	NOTES_MAX = 1 << 20
};

/* Opening and closing. */

int
segments_new(struct store *s, struct segments **g_out, struct err *e)
{
	struct segments *g = xcalloc(1, sizeof(*g));
	pthread_condattr_t attr;

	g->s = s;
	g->dir = xasprintf("%s/mail", s->conf.state_dir);
	g->files = segment_files_new(g->dir);
	pthread_mutex_init(&g->mtx, NULL);
	pthread_mutex_init(&g->notes_mtx, NULL);
	buf_init(&g->notes, NOTES_MAX);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&g->changed, &attr);
	pthread_cond_init(&g->work, &attr);
	pthread_condattr_destroy(&attr);
	*g_out = g;
	if (pthread_create(&g->maker, NULL, segment_maker, g) != 0) {
		segments_free(g_out);
		return err_set(e, ERR_INTERNAL, "no thread for segments");
	}
	g->running = true;
	return 0;
}

static void
hand_on(struct segments *g, struct seg_out *o)
{
	bool full = o->failed || o->at + SEG_ROOM_MIN > o->size;

	if (!o->failed && o->written != o->covered && fdatasync(o->fd) != 0)
		o->failed = true;
	else if (!o->failed)
		o->synced = o->at;
	if (segment_note_row(g, o, full || o->failed, true) != 0)
		log_warn(NULL, "segment-row", "segment=%08x", o->number);
	close(o->fd);
	free(o);
}

static void write_notes(struct segments *g);

void
segments_free(struct segments **gp)
{
	struct segments *g = *gp;
	struct seg_out *o;

	*gp = NULL;
	if (g == NULL)
		return;
	if (g->running) {
		pthread_mutex_lock(&g->mtx);
		g->stop = true;
		pthread_cond_signal(&g->work);
		pthread_mutex_unlock(&g->mtx);
		pthread_join(g->maker, NULL);
	}
	write_notes(g);
	while ((o = g->old) != NULL) {
		g->old = o->next;
		hand_on(g, o);
	}
	if (g->cur != NULL)
		hand_on(g, g->cur);
	if (g->next != NULL)
		hand_on(g, g->next);
	segment_files_free(&g->files);
	pthread_cond_destroy(&g->changed);
	pthread_cond_destroy(&g->work);
	pthread_mutex_destroy(&g->mtx);
	pthread_mutex_destroy(&g->notes_mtx);
	buf_fini(&g->notes);
	free(g->dir);
	free(g);
}

/* Appending. */

static bool
has_room(const struct seg_out *o, uint64_t total)
{
	return o != NULL && !o->failed && total <= o->size &&
	       o->at <= o->size - total;
}

/* The current segment is full: the next one becomes current.  Call with the
 * mutex, which is given up meanwhile. */
static int
turn(struct segments *g, uint64_t total)
{
	struct seg_out *o = g->cur;
	int rc = 0;

	if (o != NULL) {
		g->cur = NULL;
		o->next = g->old;
		g->old = o;
	}
	g->turning = true;
	while (g->preparing && !has_room(g->next, total))
		pthread_cond_wait(&g->changed, &g->mtx);
	if (has_room(g->next, total)) {
		g->cur = g->next;
		g->next = NULL;
	} else {
		pthread_mutex_unlock(&g->mtx);
		rc = segment_obtain(g, total, &o);
		pthread_mutex_lock(&g->mtx);
		if (rc == 0)
			g->cur = o;
	}
	g->turning = false;
	pthread_cond_broadcast(&g->changed);
	pthread_cond_signal(&g->work);
	return rc;
}

static bool
being_zeroed(const struct seg_out *o, uint64_t total)
{
	return o->zero_from != o->zero_to && o->at < o->zero_to &&
	       o->at + total > o->zero_from;
}

/* Zeros are running short, or the segment is.  The maker is woken once: what
 * it does on the way it does until there is enough again. */
static bool
wants_maker(struct segments *g, const struct seg_out *o)
{
	bool zero =
	    o->zeroed < o->size && o->at + SEG_ZERO_AHEAD / 2 > o->zeroed;
	bool next = g->next == NULL && o->at > o->size / 4 * 3;

	if (!g->resting || !(zero || next))
		return false;
	g->resting = false;
	return true;
}

/* Takes `total` bytes and n running numbers, the first of which is told, of the
 * current segment. */
static int
reserve(struct segments *g, uint64_t total, uint32_t n, struct seg_out **o_out,
    struct seg_write *w, uint32_t *count_out)
{
	struct seg_out *o;
	int rc = 0;

	pthread_mutex_lock(&g->mtx);
	for (;;) {
		if (g->turning || (g->cur != NULL && has_room(g->cur, total) &&
				      being_zeroed(g->cur, total)))
			pthread_cond_wait(&g->changed, &g->mtx);
		else if (has_room(g->cur, total))
			break;
		else if ((rc = turn(g, total)) != 0)
			goto out;
	}
	o = g->cur;
	if ((rc = segment_raise(o, o->at + total)) != 0) {
		o->failed = true;
		goto out;
	}
	w->offset = o->at;
	w->next = o->writes;
	o->writes = w;
	*count_out = o->count + 1;
	o->count += n;
	o->at += total;
	*o_out = o;
	if (wants_maker(g, o))
		pthread_cond_signal(&g->work);
out:
	pthread_mutex_unlock(&g->mtx);
	return rc;
}

static void
written(struct segments *g, struct seg_out *o, struct seg_write *w, bool ok)
{
	struct seg_write **at;

	pthread_mutex_lock(&g->mtx);
	for (at = &o->writes; *at != w; at = &(*at)->next)
		;
	*at = w->next;
	o->written++;
	if (!ok)
		o->failed = true;
	if (o != g->cur && o->writes == NULL)
		pthread_cond_signal(&g->work);
	pthread_mutex_unlock(&g->mtx);
}

static int
write_all(int fd, struct iovec *v, int n, uint64_t *at)
{
	ssize_t put;

	while (n != 0) {
		put = pwritev(fd, v, n, (off_t)*at);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_from_errno(errno);
		*at += (uint64_t)put;
		while (n != 0 && (size_t)put >= v->iov_len) {
			put -= (ssize_t)v->iov_len;
			v++;
			n--;
		}
		if (n != 0 && put != 0) {
			v->iov_base = (char *)v->iov_base + put;
			v->iov_len -= (size_t)put;
		}
	}
	return 0;
}

/* What an append is made of. */
struct piece {
	struct seg_rec rec;
	struct slice desc;
	const struct slice *parts;
	size_t nparts;
};

static void
iov_add(struct iovec *v, int *n, const void *p, size_t len)
{
	if (len == 0)
		return;
	v[*n].iov_base = (void *)(uintptr_t)p;
	v[*n].iov_len = len;
	(*n)++;
}

static int
write_piece(int fd, uint64_t at, const struct piece *p)
{
	static const uint8_t zeros[REC_ALIGN];
	uint8_t head[REC_HEADER];
	struct iovec v[PARTS_AT_ONCE + 3];
	uint64_t end = at + REC_HEADER + p->rec.desc_n + p->rec.length;
	int n = 0, rc;

	seg_rec_encode(head, &p->rec, p->desc.p);
	iov_add(v, &n, head, sizeof(head));
	iov_add(v, &n, p->desc.p, p->desc.n);
	for (size_t i = 0; i < p->nparts; i++) {
		iov_add(v, &n, p->parts[i].p, p->parts[i].n);
		if (n < PARTS_AT_ONCE)
			continue;
		if ((rc = write_all(fd, v, n, &at)) != 0)
			return rc;
		n = 0;
	}
	iov_add(v, &n, zeros, (size_t)(seg_align(end) - end));
	return write_all(fd, v, n, &at);
}

static int
append(struct store *s, struct piece *p, struct body_loc *loc)
{
	struct segments *g = s->segments;
	uint64_t total = seg_rec_total(&p->rec);
	struct seg_write w;
	struct seg_out *o = NULL;
	uint32_t count;
	int rc;

	if ((rc = reserve(g, total, 1, &o, &w, &count)) != 0)
		return rc;
	if (p->rec.id == 0)
		p->rec.id = (uint64_t)o->number << 32 | count;
	loc->id = p->rec.id;
	loc->segment = o->number;
	loc->offset = w.offset;
	loc->length = p->rec.length;
	loc->crc = p->rec.crc;
	rc = write_piece(o->fd, w.offset, p);
	if (rc != 0)
		log_error(NULL, "segment-write",
		    "segment=%08x offset=%llu bytes=%llu err=%s", o->number,
		    (unsigned long long)w.offset, (unsigned long long)total,
		    err_name(rc));
	written(g, o, &w, rc == 0);
	return rc;
}

int
segment_put_body(struct store *s, const struct slice *parts, size_t nparts,
    int64_t internal_date, struct body_loc *loc_out)
{
	char desc[REC_BODY_DESC];
	struct piece p = { .rec = { .kind = REC_BODY, .desc_n = REC_BODY_DESC },
		.desc = slice_of(desc, sizeof(desc)),
		.parts = parts,
		.nparts = nparts };

	for (size_t i = 0; i < nparts; i++) {
		if (!num_add(p.rec.length, parts[i].n, &p.rec.length))
			return ERR_TOOBIG;
		p.rec.crc = crc32c(p.rec.crc, parts[i].p, parts[i].n);
	}
	if (p.rec.length > UINT32_MAX)
		return ERR_TOOBIG;
	desc[0] = TAG_DATE;
	desc[1] = 8;
	num_put64(desc + 2, (uint64_t)internal_date);
	return append(s, &p, loc_out);
}

/* Notes gather in memory, laid out as they will be but for their headers, whose
 * place has what is needed to make them. */
struct note_start {
	uint32_t kind, desc_n;
};

/* The headers, now that the numbers are known. */
static void
finish_notes(char *p, uint32_t n, uint64_t id)
{
	struct note_start start;

	for (uint32_t i = 0; i < n; i++) {
		struct seg_rec rec = { .id = id + i };

		memcpy(&start, p, sizeof(start));
		rec.kind = (enum rec_kind)start.kind;
		rec.desc_n = start.desc_n;
		seg_rec_encode((uint8_t *)p, &rec, p + REC_HEADER);
		p += seg_rec_total(&rec);
	}
}

static int
append_notes(struct segments *g, char *p, size_t len, uint32_t n)
{
	struct iovec v = { p, len };
	struct seg_write w;
	struct seg_out *o = NULL;
	uint32_t first;
	uint64_t at;
	int rc;

	if ((rc = reserve(g, len, n, &o, &w, &first)) != 0)
		return rc;
	finish_notes(p, n, (uint64_t)o->number << 32 | first);
	at = w.offset;
	rc = write_all(o->fd, &v, 1, &at);
	written(g, o, &w, rc == 0);
	return rc;
}

/* What has gathered, in one write. */
static void
write_notes(struct segments *g)
{
	struct buf notes;
	uint32_t n;
	int rc;

	pthread_mutex_lock(&g->notes_mtx);
	notes = g->notes;
	n = g->nnotes;
	buf_init(&g->notes, NOTES_MAX);
	g->nnotes = 0;
	pthread_mutex_unlock(&g->notes_mtx);
	if (n != 0 && (rc = append_notes(
			   g, notes.p + notes.start, buf_len(&notes), n)) != 0)
		log_error(NULL, "note-lost", "notes=%u why=%s", (unsigned)n,
		    err_name(rc));
	buf_fini(&notes);
}

static void
add_note(struct buf *b, enum note_kind kind, struct slice description)
{
	static const char zeros[REC_HEADER];
	struct note_start start = { kind, (uint32_t)description.n };
	size_t n = REC_HEADER + description.n;

	buf_add(b, &start, sizeof(start));
	buf_add(b, zeros, REC_HEADER - sizeof(start));
	buf_add_slice(b, description);
	buf_add(b, zeros, seg_align(n) - n);
}

int
segment_put_note(struct store *s, enum note_kind kind, struct slice description)
{
	struct segments *g = s->segments;
	bool full;

	if (description.n > REC_DESC_MAX)
		return ERR_TOOBIG;
	pthread_mutex_lock(&g->notes_mtx);
	add_note(&g->notes, kind, description);
	g->nnotes++;
	full = buf_len(&g->notes) >= NOTES_FULL;
	pthread_mutex_unlock(&g->notes_mtx);
	if (full)
		write_notes(g);
	return 0;
}

int
segment_put_copy(struct store *s, const struct seg_rec *rec,
    struct slice description, struct slice payload, struct body_loc *loc_out)
{
	struct piece p = {
		.rec = *rec, .desc = description, .parts = &payload, .nparts = 1
	};

	p.rec.length = payload.n;
	p.rec.crc = crc32c(0, payload.p, payload.n);
	return append(s, &p, loc_out);
}

/* Syncing. */

static bool
is_dirty(const struct seg_out *o)
{
	return o != NULL && o->written != o->covered;
}

bool
segments_dirty(struct segments *g)
{
	bool dirty;

	pthread_mutex_lock(&g->notes_mtx);
	dirty = g->nnotes != 0;
	pthread_mutex_unlock(&g->notes_mtx);
	pthread_mutex_lock(&g->mtx);
	dirty = dirty || is_dirty(g->cur) || is_dirty(g->next);
	for (struct seg_out *o = g->old; o != NULL && !dirty; o = o->next)
		dirty = is_dirty(o);
	pthread_mutex_unlock(&g->mtx);
	return dirty;
}

/* Syncs one; the mutex is given up meanwhile. */
static int
sync_one(struct segments *g, struct seg_out *o)
{
	uint64_t mark = o->at, ended = o->written;
	int rc = ERR_IO;

	for (struct seg_write *w = o->writes; w != NULL; w = w->next)
		if (w->offset < mark)
			mark = w->offset;
	if (!o->failed) {
		o->busy++;
		pthread_mutex_unlock(&g->mtx);
		rc = fdatasync(o->fd) != 0 ? err_from_errno(errno) : 0;
		if (rc != 0)
			log_error(NULL, "segment-sync",
			    "segment=%08x err=\"%s\" hint=\"it is not used any "
			    "more\"",
			    o->number, strerror(errno));
		pthread_mutex_lock(&g->mtx);
		o->busy--;
	}
	/* What the kernel failed to write it may call clean the next time: a
	 * failed segment is told to every batch that wrote to it, not synced
	 * again. */
	if (ended > o->covered)
		o->covered = ended;
	if (rc != 0)
		o->failed = true;
	else if (mark > o->synced)
		o->synced = mark;
	return rc;
}

static struct seg_out *
next_dirty(struct segments *g, struct seg_out *const *seen, size_t n)
{
	struct seg_out *heads[] = { g->cur, g->next, g->old };

	for (size_t h = 0; h < PH_LEN(heads); h++)
		for (struct seg_out *o = heads[h]; o != NULL;
		     o = h == 2 ? o->next : NULL) {
			size_t i = 0;

			while (i < n && seen[i] != o)
				i++;
			if (i == n && is_dirty(o))
				return o;
		}
	return NULL;
}

int
segments_sync(struct segments *g)
{
	struct seg_out *seen[SYNC_AT_ONCE], *o;
	size_t n = 0;
	int rc = 0;

	write_notes(g);
	pthread_mutex_lock(&g->mtx);
	while (n < SYNC_AT_ONCE && (o = next_dirty(g, seen, n)) != NULL) {
		seen[n++] = o;
		o->busy++; /* keeps it: `seen` compares addresses */
		if (sync_one(g, o) != 0)
			rc = ERR_IO;
	}
	if (n == SYNC_AT_ONCE && next_dirty(g, seen, n) != NULL)
		rc = ERR_IO;
	for (size_t i = 0; i < n; i++)
		seen[i]->busy--;
	/* There is something to seal, or a mark to write in a while. */
	if (g->old != NULL || (n != 0 && g->drowsy)) {
		g->drowsy = false;
		pthread_cond_signal(&g->work);
	}
	pthread_mutex_unlock(&g->mtx);
	return rc;
}
