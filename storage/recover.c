#include "storage/recover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/body.h"
#include "storage/counter.h"
#include "storage/segment_priv.h"
#include "storage/segment_row.h"
#include "storage/segment_scan.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

/* A segment as recovery finds it. */
struct found {
	uint32_t number;
	struct segment_row row;
	int fd;
	uint64_t size, high;
	uint32_t count; /* running numbers met */
};

struct recovery {
	struct store *s;
	struct found *seg;
	size_t nseg, seg_cap;
	struct body_loc *unsure; /* bodies beyond a synced mark */
	size_t nunsure, unsure_cap;
	uint64_t *bad;
	size_t nbad, bad_cap;
	size_t at; /* of seg, inside a transaction */
};

static int
open_file(struct store *s, uint32_t number, int flags)
{
	char name[SEGMENT_NAME_BYTES], *path;
	int fd;

	segment_name(number, name);
	path = xasprintf("%s/mail/%s", s->conf.state_dir, name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		fd = err_from_errno(errno);
	free(path);
	return fd;
}

/* Files. */

static int
no_record(const struct seg_found *f, void *arg)
{
	(void)f;
	(void)arg;
	return ERR_EXISTS;
}

/* 0: the file holds no record; ERR_EXISTS: it does. */
static int
file_is_empty(struct store *s, uint32_t number)
{
	struct seg_scan_result res;
	uint8_t head[SEG_HEAD_USED];
	uint64_t high;
	struct stat st;
	int fd = open_file(s, number, O_RDONLY), rc;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) != 0)
		rc = err_from_errno(errno);
	else {
		high = (uint64_t)st.st_size;
		if (pread(fd, head, sizeof(head), 0) == sizeof(head) &&
		    seg_head_decode(head, number, &high) &&
		    high > (uint64_t)st.st_size)
			high = (uint64_t)st.st_size;
		rc = segment_scan(fd, SEG_HEADER, high, no_record, NULL, &res);
	}
	close(fd);
	return rc;
}

static bool
name_number(const char *name, uint32_t *number_out)
{
	char back[SEGMENT_NAME_BYTES];
	char *end;

	*number_out = (uint32_t)strtoul(name, &end, 16);
	segment_name(*number_out, back);
	return strcmp(back, name) == 0;
}

/* "0000002a.seg.gone": set aside. */
static bool
aside_number(const char *name, uint32_t *number_out)
{
	struct slice s = slice_str(name);
	char plain[SEGMENT_NAME_BYTES];
	size_t tail = sizeof(SEGMENT_ASIDE) - 1;

	return s.n > tail &&
	       slice_eq(slice_from(s, s.n - tail), SLICE(SEGMENT_ASIDE)) &&
	       slice_copy(slice_sub(s, 0, s.n - tail), plain, sizeof(plain)) &&
	       name_number(plain, number_out);
}

static int
each_file(struct store *s, bool (*is)(const char *name, uint32_t *number_out),
    int (*fn)(struct store *s, uint32_t number))
{
	char *dir = xasprintf("%s/mail", s->conf.state_dir);
	DIR *d = opendir(dir);
	struct dirent *ent;
	uint32_t number;
	int rc = 0;

	free(dir);
	if (d == NULL)
		return err_from_errno(errno);
	while (rc == 0 && (ent = readdir(d)) != NULL)
		if (is(ent->d_name, &number))
			rc = fn(s, number);
	closedir(d);
	return rc;
}

static int
last_epoch(struct db_txn *t, void *arg)
{
	return counter_last(t, SLICE("epoch"), arg);
}

int
recover_check(struct store *s, struct err *e)
{
	uint64_t epoch = 0;
	int rc;

	if ((rc = db_read(s->db, last_epoch, &epoch)) != 0)
		return err_set(e, rc, "the index cannot be read");
	if (epoch != 0)
		return 0;
	rc = each_file(s, name_number, file_is_empty);
	if (rc == ERR_EXISTS)
		return err_set(e, ERR_CORRUPT,
		    "the index is gone but there is mail: run `posthof "
		    "restore` from a backup, or `posthof rebuild`");
	if (rc != 0)
		(void)err_set(e, rc, "the mail directory cannot be read");
	return rc;
}

struct row_ask {
	uint32_t number;
	bool there;
};

static int
ask_row(struct db_txn *t, void *arg)
{
	struct row_ask *ask = arg;
	struct segment_row row;
	int rc = segment_row_get(t, ask->number, false, &row);

	ask->there = rc == 0;
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* Made, but killed before its row was written. */
static int
remove_stray(struct store *s, uint32_t number)
{
	struct row_ask ask = { .number = number };
	char name[SEGMENT_NAME_BYTES], *path;
	int rc;

	if ((rc = db_read(s->db, ask_row, &ask)) != 0 || ask.there)
		return rc;
	segment_name(number, name);
	if ((rc = file_is_empty(s, number)) != 0) {
		log_warn(NULL, "segment-unknown",
		    "file=%s err=%s hint=\"it holds mail, but the index does "
		    "not know it; left as it is\"",
		    name, err_name(rc));
		return 0;
	}
	path = xasprintf("%s/mail/%s", s->conf.state_dir, name);
	if (unlink(path) != 0)
		rc = err_from_errno(errno);
	free(path);
	return rc;
}

/* About to be removed when somebody died: whether it is gone, its row says. */
static int
settle_aside(struct store *s, uint32_t number)
{
	struct row_ask ask = { .number = number };
	char name[SEGMENT_NAME_BYTES], *path, *aside;
	int rc;

	if ((rc = db_read(s->db, ask_row, &ask)) != 0)
		return rc;
	segment_name(number, name);
	path = xasprintf("%s/mail/%s", s->conf.state_dir, name);
	aside = xasprintf("%s" SEGMENT_ASIDE, path);
	if ((ask.there ? rename(aside, path) : unlink(aside)) != 0)
		rc = err_from_errno(errno);
	free(path);
	free(aside);
	return rc;
}

/* Rows. */

static int
take_row(uint32_t number, const struct segment_row *row, void *arg)
{
	struct recovery *r = arg;
	struct found *f;

	if (row->owner == 0 && row->synced == row->length)
		return 0;
	r->seg = mem_grow(r->seg, &r->seg_cap, r->nseg, sizeof(*r->seg));
	f = &r->seg[r->nseg++];
	memset(f, 0, sizeof(*f));
	f->number = number;
	f->row = *row;
	f->fd = -1;
	return 0;
}

static int
take_rows(struct db_txn *t, void *arg)
{
	struct recovery *r = arg;

	r->nseg = 0;
	return segment_row_each(t, take_row, r);
}

static void
open_found(struct store *s, struct found *f)
{
	uint8_t head[SEG_HEAD_USED];
	struct stat st;

	f->fd = open_file(s, f->number, O_RDWR);
	if (f->fd < 0 || fstat(f->fd, &st) != 0)
		return;
	f->size = f->high = (uint64_t)st.st_size;
	if (pread(f->fd, head, sizeof(head), 0) == sizeof(head) &&
	    seg_head_decode(head, f->number, &f->high) && f->high < f->size)
		return;
	f->high = f->size;
}

/* The bodies of a segment from the last one down to its synced mark: ids rise
 * with offsets. */
static int
list_unsure(struct db_txn *t, void *arg)
{
	struct recovery *r = arg;
	const struct found *f = &r->seg[r->at];
	struct body_loc loc;
	char prefix[4], key[9], value[DB_VALUE_MAX];
	struct slice before = { NULL, 0 };
	size_t kn, vn;
	int rc;

	r->nunsure = 0;
	num_put32(prefix, f->number);
	for (;;) {
		rc = db_last(t, T_BODY, slice_of(prefix, sizeof(prefix)),
		    before, key, sizeof(key), &kn, value, sizeof(value), &vn);
		if (rc == ERR_NOTFOUND)
			return 0;
		if (rc != 0 || kn < 8)
			return rc != 0 ? rc : ERR_CORRUPT;
		before = slice_of(key, kn);
		if (kn != 8)
			continue; /* what its records share */
		if ((rc = body_get(t, num_get64(key), &loc)) != 0)
			return rc;
		if (loc.segment != f->number)
			continue; /* moved: synced before its row was */
		if (loc.offset < f->row.synced)
			return 0;
		r->unsure = mem_grow(
		    r->unsure, &r->unsure_cap, r->nunsure, sizeof(*r->unsure));
		r->unsure[r->nunsure++] = loc;
	}
}

static int
first_only(const struct seg_found *f, void *arg)
{
	*(struct seg_found *)arg = *f;
	return ERR_EXISTS;
}

/* 0: the bytes are there; ERR_CORRUPT; others: cannot say. */
static int
verify(const struct found *f, const struct body_loc *loc)
{
	struct seg_scan_result res;
	struct seg_found rec;
	int rc;

	if (f->fd < 0)
		return f->fd == ERR_NOTFOUND ? ERR_CORRUPT : f->fd;
	memset(&rec, 0, sizeof(rec));
	rc = segment_scan(f->fd, loc->offset, f->size, first_only, &rec, &res);
	if (rc != ERR_EXISTS)
		return rc == 0 ? ERR_CORRUPT : rc;
	if (rec.offset != loc->offset || rec.rec.kind != REC_BODY ||
	    rec.rec.id != loc->id || rec.rec.length != loc->length ||
	    rec.rec.crc != loc->crc)
		return ERR_CORRUPT;
	return segment_scan_payload(f->fd, &rec);
}

static int
verify_unsure(struct recovery *r)
{
	struct found *f = &r->seg[r->at];
	int rc;

	if ((rc = db_read(r->s->db, list_unsure, r)) != 0)
		return rc;
	for (size_t i = 0; i < r->nunsure; i++) {
		rc = verify(f, &r->unsure[i]);
		if (rc == 0)
			continue;
		if (rc != ERR_CORRUPT)
			return rc;
		log_error(NULL, "body-lost", "segment=%08x id=%llx bytes=%llu",
		    f->number, (unsigned long long)r->unsure[i].id,
		    (unsigned long long)r->unsure[i].length);
		r->bad =
		    mem_grow(r->bad, &r->bad_cap, r->nbad, sizeof(*r->bad));
		r->bad[r->nbad++] = r->unsure[i].id;
	}
	return 0;
}

/* The highest running number of the segment's own; what was moved here has
 * that of another. */
static int
count_record(const struct seg_found *f, void *arg)
{
	struct found *seg = arg;

	if (f->rec.id >> 32 == seg->number && (uint32_t)f->rec.id > seg->count)
		seg->count = (uint32_t)f->rec.id;
	return 0;
}

/* Where the next record may go. */
static int
measure(struct found *f)
{
	struct seg_scan_result res;
	uint64_t from = f->row.synced, most;
	int rc;

	if (from < SEG_HEADER)
		from = SEG_HEADER;
	if (f->high < from)
		f->high = from;
	f->count = 0;
	rc = segment_scan(f->fd, from, f->high, count_record, f, &res);
	if (rc != 0)
		return rc;
	if (fdatasync(f->fd) != 0)
		return err_from_errno(errno);
	/* In a tail that is not clean a record may hide behind a damaged one:
	 * nothing is written over it. */
	f->row.length = res.clean ? res.end : seg_align(f->high);
	f->row.synced = f->row.length;
	/* Behind damage a message's own bytes may look like a record: no more
	 * numbers than there was room for. */
	most = f->row.count + (f->high - from) / REC_HEADER;
	if (f->count > f->row.count)
		f->row.count = f->count < most ? f->count : (uint32_t)most;
	if (f->row.length + SEG_ROOM_MIN > f->size)
		f->row.state = SEGMENT_SEALED;
	return 0;
}

static int
write_row(struct db_txn *t, void *arg)
{
	struct recovery *r = arg;
	struct found *f = &r->seg[r->at];
	struct segment_row row;
	int rc;

	if ((rc = segment_row_get(t, f->number, true, &row)) != 0)
		return rc;
	if (f->fd < 0 && row.live == 0)
		return segment_row_del(t, f->number);
	f->row.live = row.live; /* may have shrunk meanwhile */
	f->row.owner = 0;
	return segment_row_put(t, f->number, &f->row);
}

static int
settle(struct recovery *r)
{
	struct found *f = &r->seg[r->at];
	int rc = 0;

	if (f->fd == ERR_NOTFOUND) {
		log_error(NULL, "segment-missing", "segment=%08x live=%llu",
		    f->number, (unsigned long long)f->row.live);
		f->row.state = SEGMENT_SEALED;
		f->row.length = f->row.synced;
	} else if (f->fd < 0)
		return f->fd;
	else if (f->row.state == SEGMENT_OPEN)
		rc = measure(f);
	else if (fdatasync(f->fd) != 0)
		rc = err_from_errno(errno);
	else
		f->row.synced = f->row.length;
	return rc != 0 ? rc : db_update(r->s->db, write_row, r);
}

static int
recover_all(struct recovery *r)
{
	struct store *s = r->s;
	int rc;

	if ((rc = each_file(s, aside_number, settle_aside)) != 0 ||
	    (rc = db_read(s->db, take_rows, r)) != 0)
		return rc;
	for (r->at = 0; r->at < r->nseg; r->at++) {
		open_found(s, &r->seg[r->at]);
		if ((rc = verify_unsure(r)) != 0)
			return rc;
	}
	/* Marks move only when what was lost is dealt with for good. */
	if (r->nbad != 0 && ((rc = recover_bad(s, r->bad, r->nbad)) != 0 ||
				(rc = store_sync_now(s)) != 0))
		return rc;
	for (r->at = 0; r->at < r->nseg; r->at++)
		if ((rc = settle(r)) != 0)
			return rc;
	return each_file(s, name_number, remove_stray);
}

int
recover_bodies(struct store *s, struct err *e)
{
	struct recovery r = { .s = s };
	int rc = recover_all(&r);

	if (rc == 0)
		rc = db_checkpoint(s->db, 0, 0);
	for (size_t i = 0; i < r.nseg; i++)
		if (r.seg[i].fd >= 0)
			close(r.seg[i].fd);
	log_info(NULL, "recovered", "segments=%zu lost=%zu result=%s", r.nseg,
	    r.nbad, err_name(rc));
	free(r.seg);
	free(r.unsure);
	free(r.bad);
	if (rc != 0)
		(void)err_set(e, rc, "the mail could not be verified");
	return rc;
}
