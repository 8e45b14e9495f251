#include "storage/segment_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/crc32c.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

enum { WINDOW = 256 << 10 };

/* A part of the file in memory. */
struct window {
	int fd;
	uint64_t limit; /* nothing at or beyond */
	uint64_t start;
	size_t n;
	uint8_t *p;
};

/* At least `want` bytes at `at` when there are so many; how many there are. */
static int
see(struct window *w, uint64_t at, size_t want, const uint8_t **p_out,
    size_t *n_out)
{
	ssize_t got;

	*p_out = NULL;
	*n_out = 0;
	if (at >= w->limit)
		return 0;
	if (at < w->start || at + want > w->start + w->n) {
		size_t most = WINDOW;

		if (w->limit - at < most)
			most = (size_t)(w->limit - at);
		do
			got = pread(w->fd, w->p, most, (off_t)at);
		while (got < 0 && errno == EINTR);
		if (got < 0)
			return err_from_errno(errno);
		w->start = at;
		w->n = (size_t)got;
	}
	if (at - w->start >= w->n)
		return 0;
	*p_out = w->p + (at - w->start);
	*n_out = w->n - (size_t)(at - w->start);
	return 0;
}

static bool
record_at(const uint8_t *p, size_t n, uint64_t at, uint64_t limit,
    struct seg_found *f)
{
	if (n < REC_HEADER || !seg_rec_decode(p, &f->rec) ||
	    n - REC_HEADER < f->rec.desc_n ||
	    !seg_rec_check(p, &f->rec, p + REC_HEADER) ||
	    seg_rec_total(&f->rec) > limit - at)
		return false;
	f->offset = at;
	f->payload = at + REC_HEADER + f->rec.desc_n;
	f->desc = slice_of(p + REC_HEADER, f->rec.desc_n);
	return true;
}

/* From `at` to the next eight bytes that could begin a record, within what is
 * in memory; zeros are passed quickly. */
static size_t
skip(const uint8_t *p, size_t n, bool *clean)
{
	static const uint8_t zeros[REC_ALIGN];
	size_t i;

	for (i = REC_ALIGN; i + REC_ALIGN <= n; i += REC_ALIGN) {
		if (memcmp(p + i, zeros, REC_ALIGN) == 0)
			continue;
		if (memcmp(p + i, "PHR1", 4) == 0)
			return i;
		*clean = false;
	}
	return i;
}

static int
scan_window(struct window *w, uint64_t from, uint64_t to,
    int (*fn)(const struct seg_found *f, void *arg), void *arg,
    struct seg_scan_result *out)
{
	struct seg_found f;
	uint64_t at = seg_align(from);
	const uint8_t *p;
	size_t n;
	int rc;

	while (at < to) {
		rc = see(w, at, REC_HEADER + REC_DESC_MAX, &p, &n);
		if (rc != 0)
			return rc;
		if (n < REC_ALIGN)
			break;
		if (!record_at(p, n, at, w->limit, &f)) {
			if (memcmp(p, "\0\0\0\0\0\0\0", REC_ALIGN) != 0)
				out->clean = false;
			at += skip(p, n, &out->clean);
			continue;
		}
		if (at != out->end)
			out->clean = false;
		at += seg_rec_total(&f.rec);
		out->end = at;
		if ((uint32_t)f.rec.id > out->count)
			out->count = (uint32_t)f.rec.id;
		if ((rc = fn(&f, arg)) != 0)
			return rc;
	}
	return 0;
}

int
segment_scan(int fd, uint64_t from, uint64_t to,
    int (*fn)(const struct seg_found *f, void *arg), void *arg,
    struct seg_scan_result *out)
{
	struct window w = { .fd = fd, .limit = to, .p = xmalloc(WINDOW) };
	int rc;

	out->end = seg_align(from);
	out->count = 0;
	out->clean = true;
	rc = scan_window(&w, from, to, fn, arg, out);
	free(w.p);
	return rc;
}

int
segment_scan_payload(int fd, const struct seg_found *f)
{
	char *p = xmalloc(WINDOW);
	uint64_t left = f->rec.length, at = f->payload;
	uint32_t crc = 0;
	int rc = 0;

	while (rc == 0 && left != 0) {
		size_t n = left < WINDOW ? (size_t)left : WINDOW;

		if ((rc = file_pread_all(fd, p, n, (off_t)at)) == 0)
			crc = crc32c(crc, p, n);
		left -= n;
		at += n;
	}
	free(p);
	return rc == 0 && crc != f->rec.crc ? ERR_CORRUPT : rc;
}
