/* Records of many chunks, at every border. */
#include "storage/chunk.h"

#include "tests/unit/store_fixture.h"

static struct store_fixture f;

UNIT_AROUND(fixture_new(&f), fixture_free(&f))

struct op {
	struct slice base, record;
	size_t old_n;
	struct buf out;
};

static int
put(struct db_txn *t, void *arg)
{
	struct op *op = arg;

	return chunk_put(t, T_ADDRESS, op->base, op->record, op->old_n);
}

static int
get(struct db_txn *t, void *arg)
{
	struct op *op = arg;

	return chunk_get(t, T_ADDRESS, op->base, false, &op->out);
}

static int
del(struct db_txn *t, void *arg)
{
	struct op *op = arg;

	return chunk_del(t, T_ADDRESS, op->base, op->old_n);
}

/* How many records, and how many bytes in all. */
static int
walk(struct db_txn *t, void *arg)
{
	size_t *sum = arg;
	struct chunk_scan c;
	int rc;

	sum[0] = sum[1] = 0;
	rc = chunk_scan_init(t, T_ADDRESS, SLICE(""), slice_of(NULL, 0), &c);
	while (rc == 0 && (rc = chunk_scan_next(&c)) == 0) {
		sum[0]++;
		sum[1] += buf_len(&c.rec);
	}
	chunk_scan_fini(&c);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static void
test_borders(void **state)
{
	static const size_t sizes[] = { 0, 1, 959, 960, 961, 1919, 1920, 1921,
		960 * 249, 960 * 250, 960, 0, 961, 5 };
	static char bytes[CHUNK_BYTES * (CHUNKS_MAX + 1)];
	struct op op = { .base = SLICE("b"), .old_n = 0 };
	struct op other = { .base = SLICE("a"), .record = SLICE("other") };
	size_t sum[2];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i / 7 + i);
	buf_init(&op.out, sizeof(bytes));
	assert_int_equal(db_update(f.s->db, put, &other), 0);
	other.base = SLICE("c");
	assert_int_equal(db_update(f.s->db, put, &other), 0);
	assert_int_equal(db_read(f.s->db, get, &op), ERR_NOTFOUND);
	for (size_t i = 0; i < PH_LEN(sizes); i++) {
		op.record = slice_of(bytes, sizes[i]);
		assert_int_equal(db_update(f.s->db, put, &op), 0);
		/* 0 bytes are a record too, and leave a chunk behind */
		op.old_n = sizes[i] != 0 ? sizes[i] : 1;
		buf_clear(&op.out);
		assert_int_equal(db_read(f.s->db, get, &op), 0);
		assert_true(slice_eq(buf_slice(&op.out), op.record));
		assert_int_equal(db_read(f.s->db, walk, sum), 0);
		assert_int_equal(sum[0], 3);
		assert_int_equal(sum[1], sizes[i] + 10);
	}
	op.record = slice_of(bytes, sizeof(bytes));
	assert_int_equal(db_update(f.s->db, put, &op), ERR_TOOBIG);
	assert_int_equal(db_update(f.s->db, del, &op), 0);
	assert_int_equal(db_read(f.s->db, walk, sum), 0);
	assert_int_equal(sum[0], 2);
	buf_fini(&op.out);
}

static int
damage(struct db_txn *t, void *arg)
{
	const struct op *op = arg;

	return db_put(t, T_ADDRESS, op->base, op->record);
}

/* Bytes from disk are checked, not believed. */
static void
test_damage(void **state)
{
	struct op op = { .record = SLICE("\2x") };
	size_t sum[2];

	(void)state;
	buf_init(&op.out, 100);
	op.base = slice_of("a\0", 2);
	assert_int_equal(db_update(f.s->db, damage, &op), 0);
	assert_int_equal(db_read(f.s->db, walk, sum), ERR_CORRUPT);
	op.base = SLICE("a");
	assert_int_equal(db_read(f.s->db, get, &op), ERR_CORRUPT);
	/* begins in the middle */
	op.base = slice_of("a\0", 2);
	op.record = SLICE("\1x");
	assert_int_equal(db_update(f.s->db, damage, &op), 0);
	assert_int_equal(db_read(f.s->db, walk, sum), 0);
	op.base = slice_of("c\5", 2);
	assert_int_equal(db_update(f.s->db, damage, &op), 0);
	assert_int_equal(db_read(f.s->db, walk, sum), ERR_CORRUPT);
	buf_fini(&op.out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_borders, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
