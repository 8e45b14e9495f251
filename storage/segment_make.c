/*
 * Where segments come from and go to: taken over or made, zeroed ahead of the
 * writers, sealed when full.  Zeros are written beforehand because a sync of
 * bytes over existing ones needs no change to the file's block map: twice as
 * fast.
 */
#include "storage/segment_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "storage/counter.h"
#include "storage/segment_row.h"
#include "storage/store_priv.h"

enum {
	PAUSE_MS = 5, /* between steps that are not urgent */
	SWEEP_MS = 30000,
	RETRY_MS = 1000,
	NUMBERS_TRIED = 100
};

int
segment_raise(struct seg_out *o, uint64_t end)
{
	uint8_t head[SEG_HEAD_USED];
	uint64_t high = (end + SEG_HIGH_STEP) & ~(uint64_t)(SEG_HIGH_STEP - 1);
	int rc;

	if (end <= o->high)
		return 0;
	if (high > o->size)
		high = o->size;
	seg_head_encode(head, o->number, high);
	if ((rc = file_pwrite_all(o->fd, head, sizeof(head), 0)) == 0)
		o->high = high;
	return rc;
}

/* Rows. */

struct note {
	struct segments *g;
	const struct seg_out *o;
	bool sealed, give_up;
};

static int
note_txn(struct db_txn *t, void *arg)
{
	const struct note *n = arg;
	const struct seg_out *o = n->o;
	struct segment_row row;
	int rc;

	if ((rc = segment_row_get(t, o->number, true, &row)) != 0)
		return rc;
	row.state = n->sealed ? SEGMENT_SEALED : SEGMENT_OPEN;
	row.length = o->at;
	row.synced = o->synced;
	row.count = o->count;
	if (n->sealed || n->give_up)
		row.owner = 0;
	return segment_row_put(t, o->number, &row);
}

int
segment_note_row(
    struct segments *g, const struct seg_out *o, bool sealed, bool give_up)
{
	struct note n = { g, o, sealed, give_up };

	return db_update(g->s->db, note_txn, &n);
}

/* Taking over. */

struct claim {
	struct segments *g;
	uint64_t need;
	uint32_t number; /* 0: none found */
	struct segment_row row;
};

static int
look(uint32_t number, const struct segment_row *row, void *arg)
{
	struct claim *c = arg;

	if (row->state == SEGMENT_OPEN && row->owner == 0) {
		c->number = number;
		c->row = *row;
	}
	return 0;
}

static int
look_txn(struct db_txn *t, void *arg)
{
	return segment_row_each(t, look, arg);
}

static int
claim_txn(struct db_txn *t, void *arg)
{
	struct claim *c = arg;
	int rc;

	if ((rc = segment_row_get(t, c->number, true, &c->row)) != 0)
		return rc;
	if (c->row.state != SEGMENT_OPEN || c->row.owner != 0)
		return ERR_CONFLICT;
	c->row.owner = c->g->s->epoch;
	return segment_row_put(t, c->number, &c->row);
}

static struct seg_out *
out_new(uint32_t number, int fd, uint64_t size, const struct segment_row *row)
{
	struct seg_out *o = xcalloc(1, sizeof(*o));

	o->number = number;
	o->fd = fd;
	o->size = size;
	o->at = o->zeroed = seg_align(row->length);
	o->synced = o->marked = row->synced;
	o->count = row->count;
	return o;
}

static int
open_claimed(struct claim *c, struct seg_out **o_out)
{
	char name[SEGMENT_NAME_BYTES], *path;
	uint8_t head[SEG_HEAD_USED];
	struct stat st;
	int fd, rc = 0;

	segment_name(c->number, name);
	path = xasprintf("%s/%s", c->g->dir, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	free(path);
	if (fd < 0)
		return err_from_errno(errno);
	if (fstat(fd, &st) != 0)
		rc = err_from_errno(errno);
	else
		rc = file_pread_all(fd, head, sizeof(head), 0);
	if (rc == 0) {
		*o_out = out_new(c->number, fd, (uint64_t)st.st_size, &c->row);
		if (!seg_head_decode(head, c->number, &(*o_out)->high) ||
		    (*o_out)->high == UINT64_MAX)
			(*o_out)->high = 0;
		return 0;
	}
	close(fd);
	return rc;
}

/* A segment that nobody writes to and that has room; ERR_NOTFOUND. */
static int
take_over(struct segments *g, uint64_t need, struct seg_out **o_out)
{
	struct claim c;
	int rc;

	for (;;) {
		memset(&c, 0, sizeof(c));
		c.g = g;
		c.need = need;
		if ((rc = db_read(g->s->db, look_txn, &c)) != 0)
			return rc;
		if (c.number == 0)
			return ERR_NOTFOUND;
		rc = db_update(g->s->db, claim_txn, &c);
		if (rc == ERR_CONFLICT || rc == ERR_NOTFOUND)
			continue;
		if (rc != 0)
			return rc;
		rc = open_claimed(&c, o_out);
		if (rc != 0)
			log_error(NULL, "segment-claim", "segment=%08x err=%s",
			    c.number, err_name(rc));
		return rc;
	}
}

/* Making. */

struct fresh {
	struct segments *g;
	uint64_t number;
	struct segment_row row;
};

static int
number_txn(struct db_txn *t, void *arg)
{
	struct fresh *f = arg;

	return counter_next(t, SLICE("segment"), 1, &f->number);
}

static int
row_txn(struct db_txn *t, void *arg)
{
	struct fresh *f = arg;

	return segment_row_put(t, (uint32_t)f->number, &f->row);
}

static int
create_file(struct segments *g, uint32_t number, int *fd_out, char **path_out)
{
	char name[SEGMENT_NAME_BYTES];

	segment_name(number, name);
	*path_out = xasprintf("%s/%s", g->dir, name);
	*fd_out = open(*path_out, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (*fd_out >= 0)
		return 0;
	free(*path_out);
	*path_out = NULL;
	return err_from_errno(errno);
}

static int
fill_file(struct segments *g, int fd, uint32_t number, uint64_t size)
{
	uint8_t head[SEG_HEAD_USED];
	int rc;

	/* Where the file system has no fallocate the file is sparse. */
	if (fallocate(fd, 0, 0, (off_t)size) != 0 &&
	    (errno != EOPNOTSUPP || ftruncate(fd, (off_t)size) != 0))
		return err_from_errno(errno);
	seg_head_encode(head, number, SEG_HEADER);
	if ((rc = file_pwrite_all(fd, head, sizeof(head), 0)) != 0)
		return rc;
	if (fsync(fd) != 0)
		return err_from_errno(errno);
	return file_sync_dir(g->dir, NULL);
}

/* A number whose file is there already was given before a power cut. */
static int
next_file(struct segments *g, struct fresh *f, int *fd_out, char **path_out)
{
	int rc;

	for (int i = 0; i < NUMBERS_TRIED; i++) {
		if ((rc = db_update(g->s->db, number_txn, f)) != 0)
			return rc;
		if (f->number > UINT32_MAX)
			return ERR_LIMIT;
		rc = create_file(g, (uint32_t)f->number, fd_out, path_out);
		if (rc != ERR_EXISTS)
			return rc;
	}
	return ERR_EXISTS;
}

static int
make(struct segments *g, uint64_t need, struct seg_out **o_out)
{
	struct fresh f = { .g = g };
	uint64_t size = g->s->conf.segment_bytes, least;
	char *path = NULL;
	int fd = -1, rc;

	least =
	    SEG_HEADER + ((need + SEG_STEP - 1) & ~(uint64_t)(SEG_STEP - 1));
	if (size < least)
		size = least;
	if ((rc = next_file(g, &f, &fd, &path)) != 0)
		return rc;
	if ((rc = fill_file(g, fd, (uint32_t)f.number, size)) != 0)
		goto out;
	f.row.state = SEGMENT_OPEN;
	f.row.length = f.row.synced = SEG_HEADER;
	f.row.owner = g->s->epoch;
	if ((rc = db_update(g->s->db, row_txn, &f)) != 0)
		goto out;
	*o_out = out_new((uint32_t)f.number, fd, size, &f.row);
	(*o_out)->high = SEG_HEADER;
	fd = -1;
out:
	if (fd >= 0) {
		(void)unlink(path);
		close(fd);
	}
	free(path);
	return rc;
}

static void
set_back(struct segments *g, struct seg_out *o, bool sealed)
{
	if (segment_note_row(g, o, sealed, true) != 0)
		log_warn(NULL, "segment-row", "segment=%08x", o->number);
	close(o->fd);
	free(o);
}

int
segment_obtain(struct segments *g, uint64_t need, struct seg_out **o_out)
{
	struct seg_out *o = NULL;
	int rc = take_over(g, need, &o);

	if (rc == 0 && o != NULL && o->at + need <= o->size) {
		*o_out = o;
		return 0;
	}
	rc = make(g, need, o_out);
	/* Too small for this one: a full one is sealed, another goes back. */
	if (o != NULL)
		set_back(g, o, o->at + SEG_ROOM_MIN > o->size);
	if (rc != 0)
		log_error(NULL, "segment-make", "dir=%s err=%s", g->dir,
		    err_name(rc));
	return rc;
}

/* The maker's steps: each is called with the mutex, gives it up to work, and
 * returns whether it did something. */

static int
zero_range(int fd, uint64_t from, uint64_t to)
{
	static const char zeros[64 << 10];
	int rc = 0;

	for (uint64_t at = from; rc == 0 && at < to; at += sizeof(zeros)) {
		size_t n =
		    to - at < sizeof(zeros) ? (size_t)(to - at) : sizeof(zeros);

		rc = file_pwrite_all(fd, zeros, n, (off_t)at);
	}
	/* Written out now, so that the next sync of mail need not. */
	if (rc == 0)
		(void)sync_file_range(fd, (off_t)from, (off_t)(to - from),
		    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
			SYNC_FILE_RANGE_WAIT_AFTER);
	return rc;
}

static bool
step_zero(struct segments *g, struct seg_out *o)
{
	uint64_t from, to;

	if (o == NULL || o->failed)
		return false;
	from = o->zeroed > o->at ? o->zeroed : o->at;
	to = (from + SEG_STEP) & ~(uint64_t)(SEG_STEP - 1);
	if (to > o->size)
		to = o->size;
	if (from >= to || to > o->at + SEG_ZERO_AHEAD)
		return false;
	o->zero_from = from;
	o->zero_to = to;
	o->busy++;
	pthread_mutex_unlock(&g->mtx);
	if (zero_range(o->fd, from, to) != 0)
		to = o->size; /* only slower without: do not try again */
	pthread_mutex_lock(&g->mtx);
	o->busy--;
	o->zeroed = to;
	o->zero_from = o->zero_to = 0;
	pthread_cond_broadcast(&g->changed);
	return true;
}

static bool
step_next(struct segments *g, uint64_t now)
{
	struct seg_out *o = NULL;
	int rc;

	if (g->next != NULL || g->cur == NULL || g->cur->failed ||
	    now < g->retry_at_ms || g->cur->at <= g->cur->size / 4 * 3)
		return false;
	g->preparing = true;
	pthread_mutex_unlock(&g->mtx);
	rc = segment_obtain(g, SEG_ROOM_MIN, &o);
	pthread_mutex_lock(&g->mtx);
	g->preparing = false;
	if (rc == 0)
		g->next = o;
	else
		g->retry_at_ms = now + RETRY_MS;
	pthread_cond_broadcast(&g->changed);
	return rc == 0;
}

static void
seal(struct segments *g, struct seg_out *o)
{
	if (!o->failed) {
		o->synced = o->at;
		if (ftruncate(o->fd, (off_t)o->at) != 0)
			log_warn(NULL, "segment-truncate", "segment=%08x",
			    o->number);
	}
	set_back(g, o, true);
}

/* The oldest full segment: synced by a flush or, when none comes, here. */
static bool
step_finish(struct segments *g)
{
	struct seg_out **at, *o = NULL;

	for (at = &g->old; *at != NULL; at = &(*at)->next)
		if ((*at)->writes == NULL && (*at)->busy == 0 &&
		    !((*at)->failed && (*at)->written != (*at)->covered)) {
			o = *at;
			break;
		}
	if (o == NULL)
		return false;
	if (o->written == o->covered) {
		*at = o->next;
		pthread_mutex_unlock(&g->mtx);
		seal(g, o);
		pthread_mutex_lock(&g->mtx);
		return true;
	}
	o->busy++;
	pthread_mutex_unlock(&g->mtx);
	if (fdatasync(o->fd) != 0) {
		log_error(NULL, "segment-sync", "segment=%08x err=%s",
		    o->number, strerror(errno));
		pthread_mutex_lock(&g->mtx);
		o->failed = true; /* the next batch is told */
	} else {
		pthread_mutex_lock(&g->mtx);
		if (!o->failed)
			o->covered = o->written;
	}
	o->busy--;
	return true;
}

static bool
to_mark(const struct seg_out *o)
{
	return o != NULL && o->synced != o->marked;
}

static bool
step_mark(struct segments *g, uint64_t now)
{
	struct seg_out *o, copy;
	int rc;

	if (now < g->mark_at_ms + SEG_MARK_MS)
		return false;
	o = to_mark(g->cur) ? g->cur : to_mark(g->next) ? g->next : NULL;
	if (o == NULL)
		return false;
	copy = *o;
	o->busy++;
	pthread_mutex_unlock(&g->mtx);
	rc = segment_note_row(g, &copy, false, false);
	pthread_mutex_lock(&g->mtx);
	o->busy--;
	if (rc == 0)
		o->marked = copy.synced;
	g->mark_at_ms = now;
	return true;
}

static void
wait_for_work(struct segments *g, uint64_t now)
{
	struct timespec until;
	uint64_t ms;

	g->resting = true;
	g->drowsy = !to_mark(g->cur) && !to_mark(g->next) &&
		    now < g->sweep_at_ms + SWEEP_MS;
	ms = g->drowsy ? SWEEP_MS : SEG_MARK_MS;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	(void)pthread_cond_timedwait(&g->work, &g->mtx, &until);
	g->resting = g->drowsy = false;
}

static void
breathe(struct segments *g)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += PAUSE_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	if (!g->stop)
		(void)pthread_cond_timedwait(&g->work, &g->mtx, &until);
}

void *
segment_maker(void *arg)
{
	struct segments *g = arg;
	uint64_t now;

	pthread_mutex_lock(&g->mtx);
	while (!g->stop) {
		now = clock_steady_ms();
		if (step_next(g, now) || step_finish(g) || step_mark(g, now))
			continue;
		if (step_zero(g, g->cur) || step_zero(g, g->next)) {
			if (g->cur != NULL &&
			    g->cur->zeroed > g->cur->at + SEG_ZERO_AHEAD / 4)
				breathe(g);
			continue;
		}
		if (now >= g->sweep_at_ms + SWEEP_MS) {
			g->sweep_at_ms = now;
			segment_files_sweep(g->files);
		}
		wait_for_work(g, now);
	}
	pthread_mutex_unlock(&g->mtx);
	return NULL;
}
