/*
 * Reading records: by any thread of any process.
 */
#include "storage/segment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/crc32c.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "storage/segment_priv.h"
#include "storage/store_priv.h"

enum { CHECK_MAX = 1 << 20 }; /* whole reads up to here are verified */

/* The record's header, and as much of the payload as `to` takes when the
 * description has its usual length: one call of the system for most. */
static int
read_head(int fd, const struct body_loc *loc, char *to, size_t n,
    uint64_t *payload_out, size_t *got_out)
{
	uint8_t head[REC_HEADER + REC_BODY_DESC];
	char other[REC_DESC_MAX];
	const void *desc = head + REC_HEADER;
	struct seg_rec rec;
	struct iovec v[2] = { { head, sizeof(head) }, { to, n } };
	ssize_t got;

	do
		got = preadv(fd, v, n != 0 ? 2 : 1, (off_t)loc->offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_from_errno(errno);
	if ((size_t)got < sizeof(head))
		return ERR_CORRUPT;
	if (!seg_rec_decode(head, &rec))
		return ERR_CORRUPT;
	if (rec.kind != REC_BODY || rec.id != loc->id)
		return ERR_NOTFOUND;
	*got_out = (size_t)got - sizeof(head);
	if (rec.desc_n != REC_BODY_DESC) {
		*got_out = 0;
		desc = other;
		if (file_pread_all(fd, other, rec.desc_n,
			(off_t)(loc->offset + REC_HEADER)) != 0)
			return ERR_CORRUPT;
	}
	if (!seg_rec_check(head, &rec, desc) || rec.length != loc->length)
		return ERR_CORRUPT;
	*payload_out = loc->offset + REC_HEADER + rec.desc_n;
	return 0;
}

static int
read_body(int fd, const struct body_loc *loc, uint64_t off, char *to, size_t n)
{
	uint64_t payload = 0;
	size_t got = 0;
	int rc;

	rc = read_head(fd, loc, to, off == 0 ? n : 0, &payload, &got);
	if (rc != 0)
		return rc;
	if (off != 0)
		got = 0;
	if (got < n)
		rc = file_pread_all(
		    fd, to + got, n - got, (off_t)(payload + off + got));
	if (rc == 0 && off == 0 && n == loc->length && n <= CHECK_MAX &&
	    crc32c(0, to, n) != loc->crc)
		rc = ERR_CORRUPT;
	return rc;
}

static void
damaged(const struct body_loc *loc, int rc)
{
	log_error(NULL, "body-damaged",
	    "segment=%08x offset=%llu id=%llx err=%s", loc->segment,
	    (unsigned long long)loc->offset, (unsigned long long)loc->id,
	    err_name(rc));
}

/* ---- ahead ---- */

enum {
	AHEAD = 64 << 10,
	AHEAD_RECORD = 16 << 10, /* larger ones are read by themselves */
	AHEAD_GAP = 4096         /* of notes between two bodies */
};

void
segment_ahead_fini(struct segment_ahead *a)
{
	free(a->bytes);
	*a = (struct segment_ahead){ 0 };
}

/* The whole record in what was read ahead, or NULL. */
static const uint8_t *
in_ahead(const struct segment_ahead *a, const struct body_loc *loc)
{
	uint64_t n = REC_HEADER + REC_BODY_DESC + loc->length;

	if (a->segment != loc->segment || loc->offset < a->from ||
	    loc->offset - a->from > a->n || n > a->n - (loc->offset - a->from))
		return NULL;
	return (const uint8_t *)a->bytes + (loc->offset - a->from);
}

static void
fill_ahead(struct segment_ahead *a, int fd, const struct body_loc *loc)
{
	ssize_t got;

	if (a->bytes == NULL)
		a->bytes = xmalloc(AHEAD);
	do
		got = pread(fd, a->bytes, AHEAD, (off_t)loc->offset);
	while (got < 0 && errno == EINTR);
	a->from = loc->offset;
	a->n = got > 0 ? (size_t)got : 0;
}

/* Takes the whole payload from there.  False: it has to be read by itself,
 * which also finds out what is wrong, if something is. */
static bool
take_ahead(
    struct segment_ahead *a, int fd, const struct body_loc *loc, char *to)
{
	bool next = a->segment == loc->segment && loc->offset >= a->end &&
		    loc->offset - a->end <= AHEAD_GAP;
	const uint8_t *p;
	struct seg_rec rec;

	if (a->segment != loc->segment)
		a->n = 0;
	a->segment = loc->segment;
	a->end = loc->offset + REC_HEADER + REC_BODY_DESC + loc->length;
	if (loc->length > AHEAD_RECORD)
		return false;
	if ((p = in_ahead(a, loc)) == NULL && next) {
		fill_ahead(a, fd, loc);
		p = in_ahead(a, loc);
	}
	if (p == NULL || !seg_rec_decode(p, &rec) || rec.kind != REC_BODY ||
	    rec.id != loc->id || rec.desc_n != REC_BODY_DESC ||
	    rec.length != loc->length ||
	    !seg_rec_check(p, &rec, p + REC_HEADER))
		return false;
	p += REC_HEADER + REC_BODY_DESC;
	if (crc32c(0, p, loc->length) != loc->crc)
		return false;
	memcpy(to, p, loc->length);
	return true;
}

int
segment_read(struct store *s, const struct body_loc *loc, uint64_t off,
    uint64_t n, struct segment_ahead *ahead, struct buf *out)
{
	struct segment_files *files = s->segments->files;
	struct segment_file *file;
	char *to;
	int rc, fd;

	if (off >= loc->length)
		return 0;
	if (n > loc->length - off)
		n = loc->length - off;
	if ((to = buf_reserve(out, (size_t)n)) == NULL)
		return ERR_TOOBIG;
	if ((rc = segment_file_get(files, loc->segment, &file)) != 0)
		return rc;
	fd = segment_file_fd(file);
	if (ahead == NULL || n != loc->length ||
	    !take_ahead(ahead, fd, loc, to))
		rc = read_body(fd, loc, off, to, (size_t)n);
	segment_file_put(files, &file);
	if (rc == 0)
		buf_advance(out, (size_t)n);
	else if (rc != ERR_NOTFOUND)
		damaged(loc, rc);
	return rc;
}

static int
map_body(int fd, const struct body_loc *loc, struct segment_map *map)
{
	uint64_t payload = 0, from, page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct stat st;
	size_t got = 0;
	int rc;

	if ((rc = read_head(fd, loc, NULL, 0, &payload, &got)) != 0)
		return rc;
	/* Beyond the end of the file a mapping would be deadly. */
	if (fstat(fd, &st) != 0 || payload + loc->length > (uint64_t)st.st_size)
		return ERR_CORRUPT;
	if (loc->length == 0)
		return 0;
	from = payload & ~(page - 1);
	map->map_len = (size_t)(payload - from + loc->length);
	map->base =
	    mmap(NULL, map->map_len, PROT_READ, MAP_SHARED, fd, (off_t)from);
	if (map->base == MAP_FAILED) {
		map->base = NULL;
		return err_from_errno(errno);
	}
	map->bytes =
	    slice_of((char *)map->base + (payload - from), (size_t)loc->length);
	return 0;
}

int
segment_map(
    struct store *s, const struct body_loc *loc, struct segment_map *map_out)
{
	struct segment_files *files = s->segments->files;
	struct segment_file *file;
	int rc;

	memset(map_out, 0, sizeof(*map_out));
	map_out->bytes = SLICE("");
	if ((rc = segment_file_get(files, loc->segment, &file)) != 0)
		return rc;
	rc = map_body(segment_file_fd(file), loc, map_out);
	segment_file_put(files, &file);
	if (rc != 0 && rc != ERR_NOTFOUND)
		damaged(loc, rc);
	return rc;
}

void
segment_unmap(struct segment_map *map)
{
	if (map->base != NULL)
		(void)munmap(map->base, map->map_len);
	memset(map, 0, sizeof(*map));
}
