#include "storage/body.h"

#include "tests/unit/unit.h"

#include "storage/segment_row.h"
#include "storage/store_priv.h"
#include "tests/unit/store_tmp.h"

static int
live_of(struct db_txn *t, uint32_t number, uint64_t *live_out)
{
	struct segment_row row;
	int rc = segment_row_get(t, number, false, &row);

	*live_out = row.live;
	return rc;
}

static int
life(struct db_txn *t, void *arg)
{
	struct body_loc *loc = arg, other = *loc, got;
	uint64_t live;

	assert_int_equal(body_get(t, loc->id, &got), ERR_NOTFOUND);
	assert_int_equal(body_add(t, loc, 2), 0);
	assert_int_equal(body_add(t, loc, 2), ERR_EXISTS);
	assert_int_equal(body_get(t, loc->id, &got), 0);
	assert_int_equal(got.id, loc->id);
	assert_int_equal(got.segment, loc->segment);
	assert_int_equal(got.offset, loc->offset);
	assert_int_equal(got.length, loc->length);
	assert_int_equal(got.crc, loc->crc);
	assert_int_equal(live_of(t, loc->segment, &live), 0);
	assert_int_equal(live, loc->length);
	other.id++;
	other.length = 7;
	assert_int_equal(body_add(t, &other, 1), 0);
	assert_int_equal(live_of(t, loc->segment, &live), 0);
	assert_int_equal(live, loc->length + 7);

	assert_int_equal(body_ref(t, loc->id, 3), 0);
	assert_int_equal(body_ref(t, loc->id, UINT32_MAX), ERR_LIMIT);
	assert_int_equal(body_unref(t, loc->id, 4), 0);
	assert_int_equal(body_get(t, loc->id, &got), 0);
	assert_int_equal(body_unref(t, loc->id, 1), 0);
	assert_int_equal(body_get(t, loc->id, &got), ERR_NOTFOUND);
	assert_int_equal(body_unref(t, loc->id, 1), ERR_NOTFOUND);
	assert_int_equal(body_ref(t, loc->id, 1), ERR_NOTFOUND);
	assert_int_equal(live_of(t, loc->segment, &live), 0);
	assert_int_equal(live, 7);
	return 0;
}

static void
test_life(void **state)
{
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);
	struct slice part = SLICE("Subject: x\r\n\r\nhello\r\n");
	struct body_loc loc;

	(void)state;
	assert_int_equal(segment_put_body(s, &part, 1, 5, &loc), 0);
	assert_int_equal(db_update(s->db, life, &loc), 0);
	store_tmp_stop(&t, &s);
}

static int
nowhere(struct db_txn *t, void *arg)
{
	struct body_loc loc = { .id = 1, .segment = 99, .length = 5 };

	(void)arg;
	return body_add(t, &loc, 1);
}

static void
test_no_segment(void **state)
{
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);

	(void)state;
	assert_int_equal(db_update(s->db, nowhere, NULL), ERR_CORRUPT);
	store_tmp_stop(&t, &s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_no_segment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
