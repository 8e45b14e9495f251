/*
 * Notes read back: every field, and damage.
 */
#include "storage/note_read.h"

#include "lib/base/num.h"
#include "storage/rec.h"
#include "tests/unit/unit.h"

struct seen {
	struct note_uid v[16];
	size_t n;
};

static bool
see(const struct note_uid *u, void *arg)
{
	struct seen *s = arg;

	s->v[s->n++] = *u;
	return s->n < 16;
}

static void
add_uids(struct buf *b, uint8_t tag, const uint32_t *uids, size_t n)
{
	struct buf packed;
	uint32_t last = 0;

	buf_init(&packed, 100);
	for (size_t i = 0; i < n; i++) {
		rec_add_varint(&packed, uids[i] - last);
		last = uids[i];
	}
	rec_add(b, tag, buf_slice(&packed));
	buf_fini(&packed);
}

static void
reads(void **state)
{
	static const uint32_t some[] = { 3, 300, 70000 }, gone[] = { 9 };
	struct seen s = { .n = 0 };
	struct note n;
	uint8_t flags[8];
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	rec_add_u64(&b, TAG_ACCOUNT, 7);
	rec_add_u64(&b, TAG_FOLDER, 8);
	rec_add_u64(&b, TAG_MODSEQ, 99);
	num_put64(flags, UINT64_C(5) << 48 | 1);
	rec_add(&b, TAG_STATE, slice_of(flags, sizeof(flags)));
	add_uids(&b, TAG_UIDS, some, PH_LEN(some));
	add_uids(&b, TAG_GONE, gone, PH_LEN(gone));
	assert_true(note_decode(buf_slice(&b), &n));
	assert_int_equal(n.account, 7);
	assert_int_equal(n.folder, 8);
	assert_int_equal(n.modseq, 99);
	assert_true(n.has_state && n.has_gone);
	assert_null(n.made.p);
	assert_true(note_each_uid(&n, see, &s));
	assert_int_equal(s.n, 4);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(s.v[i].uid, some[i]);
		assert_false(s.v[i].gone);
		assert_int_equal(s.v[i].state, UINT64_C(5) << 48 | 1);
	}
	assert_true(s.v[3].gone);
	assert_int_equal(s.v[3].uid, 9);
	/* every prefix, in a block of its size */
	for (size_t i = 0; i < buf_len(&b); i++) {
		struct slice cut = unit_exact(buf_slice(&b).p, i);

		s.n = 0;
		if (note_decode(cut, &n))
			(void)note_each_uid(&n, see, &s);
		unit_free(cut);
	}
	buf_fini(&b);
}

/* UIDs that pass 32 bits are damage, not other UIDs. */
static void
overflow(void **state)
{
	struct seen s = { .n = 0 };
	struct note n;
	struct buf b, packed;

	(void)state;
	buf_init(&b, 1000);
	buf_init(&packed, 100);
	rec_add_u64(&b, TAG_ACCOUNT, 7);
	rec_add_u64(&b, TAG_FOLDER, 8);
	rec_add_varint(&packed, UINT32_MAX);
	rec_add_varint(&packed, 1);
	rec_add(&b, TAG_GONE, buf_slice(&packed));
	assert_true(note_decode(buf_slice(&b), &n));
	assert_false(note_each_uid(&n, see, &s));
	assert_int_equal(s.n, 1);
	buf_fini(&packed);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(overflow),
	};

	return cmocka_run_group_tests_name("note_read", tests, NULL, NULL);
}
