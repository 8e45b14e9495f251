/*
 * Reading records: by any thread of any process.
 */
#include "storage/segment.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/crc32c.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
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

int
segment_read(struct store *s, const struct body_loc *loc, uint64_t off,
    uint64_t n, struct buf *out)
{
	struct segment_files *files = s->segments->files;
	struct segment_file *file;
	char *to;
	int rc;

	if (off >= loc->length)
		return 0;
	if (n > loc->length - off)
		n = loc->length - off;
	if ((to = buf_reserve(out, (size_t)n)) == NULL)
		return ERR_TOOBIG;
	if ((rc = segment_file_get(files, loc->segment, &file)) != 0)
		return rc;
	rc = read_body(segment_file_fd(file), loc, off, to, (size_t)n);
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
