#include "storage/segment_scan.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/crc32c.h"
#include "lib/base/file.h"

enum { FILE_BYTES = 64 << 10, RECORDS = 20 };

struct sheet {
	int fd;
	uint64_t at[RECORDS], end;
};

static uint64_t
put(int fd, uint64_t at, unsigned n)
{
	char desc[32], payload[2000];
	uint8_t head[REC_HEADER];
	struct seg_rec r = { .kind = n % 3 == 0 ? REC_BODY : REC_CHANGE,
		.desc_n = n % 32,
		.length = n * 97 % sizeof(payload),
		.id = n };

	memset(desc, (int)n, sizeof(desc));
	memset(payload, (int)n + 1, sizeof(payload));
	r.crc = crc32c(0, payload, (size_t)r.length);
	seg_rec_encode(head, &r, desc);
	assert_int_equal(file_pwrite_all(fd, head, sizeof(head), (off_t)at), 0);
	assert_int_equal(
	    file_pwrite_all(fd, desc, r.desc_n, (off_t)at + REC_HEADER), 0);
	assert_int_equal(file_pwrite_all(fd, payload, (size_t)r.length,
			     (off_t)(at + REC_HEADER + r.desc_n)),
	    0);
	return at + seg_rec_total(&r);
}

static void
make(struct sheet *s)
{
	s->fd = memfd_create("sheet", 0);
	assert_true(s->fd >= 0);
	assert_int_equal(ftruncate(s->fd, FILE_BYTES), 0);
	s->end = SEG_HEADER;
	for (unsigned i = 0; i < RECORDS; i++) {
		s->at[i] = s->end;
		s->end = put(s->fd, s->end, i);
	}
}

struct seen {
	int fd;
	size_t n, bad;
	uint64_t last;
};

static int
see(const struct seg_found *f, void *arg)
{
	struct seen *s = arg;

	assert_true(s->n == 0 || f->offset > s->last);
	assert_int_equal(f->offset % REC_ALIGN, 0);
	for (size_t i = 0; i < f->desc.n; i++)
		assert_int_equal(f->desc.p[i], (char)f->rec.id);
	s->bad += segment_scan_payload(s->fd, f) != 0;
	s->last = f->offset;
	s->n++;
	return 0;
}

static struct seen
scan(int fd, uint64_t from, uint64_t to, struct seg_scan_result *res)
{
	struct seen s = { .fd = fd };

	assert_int_equal(segment_scan(fd, from, to, see, &s, res), 0);
	return s;
}

static void
test_all(void **state)
{
	struct seg_scan_result res;
	struct sheet s;
	struct seen got;

	(void)state;
	make(&s);
	got = scan(s.fd, SEG_HEADER, FILE_BYTES, &res);
	assert_int_equal(got.n, RECORDS);
	assert_int_equal(got.bad, 0);
	assert_true(res.clean);
	assert_int_equal(res.end, s.end);
	assert_int_equal(res.count, RECORDS - 1);
	got = scan(s.fd, s.at[5], s.end, &res);
	assert_int_equal(got.n, RECORDS - 5);
	assert_true(res.clean);
	/* one that goes past the bound is not there */
	got = scan(s.fd, s.at[5], s.end - 8, &res);
	assert_int_equal(got.n, RECORDS - 6);
	assert_false(res.clean);
	got = scan(s.fd, s.end, FILE_BYTES, &res);
	assert_int_equal(got.n, 0);
	assert_true(res.clean);
	assert_int_equal(res.end, s.end);
	/* a bound past the end of the file */
	got = scan(s.fd, SEG_HEADER, FILE_BYTES * 2, &res);
	assert_int_equal(got.n, RECORDS);
	close(s.fd);
}

static void
test_gap(void **state)
{
	struct seg_scan_result res;
	struct sheet s;
	struct seen got;
	uint64_t far, end;

	(void)state;
	make(&s);
	far = s.end + 8 * 1001;
	end = put(s.fd, far, 99);
	got = scan(s.fd, SEG_HEADER, FILE_BYTES, &res);
	assert_int_equal(got.n, RECORDS + 1);
	assert_false(res.clean);
	assert_int_equal(res.end, end);
	assert_int_equal(res.count, 99);
	/* bytes, but no record */
	assert_int_equal(pwrite(s.fd, "x", 1, (off_t)end + 4000), 1);
	got = scan(s.fd, far, FILE_BYTES, &res);
	assert_int_equal(got.n, 1);
	assert_false(res.clean);
	close(s.fd);
}

/* Any byte changed: one record less or one bad payload, never more. */
static void
test_damage(void **state)
{
	struct seg_scan_result res;
	struct sheet s;
	struct seen got;
	char was, now;

	(void)state;
	make(&s);
	for (uint64_t at = SEG_HEADER; at < s.end; at += 3) {
		assert_int_equal(pread(s.fd, &was, 1, (off_t)at), 1);
		now = (char)(was ^ 0x41);
		assert_int_equal(pwrite(s.fd, &now, 1, (off_t)at), 1);
		got = scan(s.fd, SEG_HEADER, FILE_BYTES, &res);
		assert_in_range(got.n, RECORDS - 1, RECORDS);
		assert_in_range(got.bad, 0, 1);
		assert_int_equal(pwrite(s.fd, &was, 1, (off_t)at), 1);
	}
	close(s.fd);
}

static void
test_header(void **state)
{
	uint8_t head[SEG_HEAD_USED];
	uint64_t high;

	(void)state;
	seg_head_encode(head, 7, 123456);
	assert_true(seg_head_decode(head, 7, &high));
	assert_int_equal(high, 123456);
	assert_false(seg_head_decode(head, 8, &high));
	for (size_t i = 0; i < sizeof(head); i++) {
		head[i] ^= 1;
		if (seg_head_decode(head, 7, &high))
			assert_true(high == UINT64_MAX);
		head[i] ^= 1;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
