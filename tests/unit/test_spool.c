#include "storage/spool.h"

#include "tests/unit/unit.h"

#include <dirent.h>

#include "storage/store_priv.h"
#include "tests/unit/store_tmp.h"

/* A spool needs no more of a store than its directory. */
static void
half_store(struct store_tmp *t, struct store *s)
{
	store_tmp_init(t);
	memset(s, 0, sizeof(*s));
	s->conf = t->conf;
}

static void
fill(struct spool *sp, size_t total, size_t step, bool spill)
{
	char bytes[5000];

	for (size_t at = 0; at < total; at += step) {
		size_t n = total - at < step ? total - at : step;

		for (size_t i = 0; i < n; i++)
			bytes[i] = (char)((at + i) * 31 >> 3);
		assert_int_equal(spool_add(sp, slice_of(bytes, n)), 0);
		if (spill && spool_wants_spill(sp))
			assert_int_equal(spool_spill(sp), 0);
	}
}

static void
check(struct spool *sp, size_t total)
{
	struct slice s;

	assert_int_equal(spool_size(sp), total);
	assert_int_equal(spool_bytes(sp, &s), 0);
	assert_int_equal(s.n, total);
	for (size_t i = 0; i < total; i++)
		assert_int_equal(s.p[i], (char)(i * 31 >> 3));
	/* asked again: the same */
	assert_int_equal(spool_bytes(sp, &s), 0);
	assert_int_equal(s.n, total);
}

static void
test_memory(void **state)
{
	struct store_tmp t;
	struct store s;
	struct spool *sp;

	(void)state;
	half_store(&t, &s);
	sp = spool_new(&s, 10000, 100000);
	check(sp, 0);
	spool_free(&sp);
	assert_null(sp);
	spool_free(&sp);
	sp = spool_new(&s, 10000, 100000);
	fill(sp, 9999, 100, false);
	assert_false(spool_wants_spill(sp));
	check(sp, 9999);
	spool_free(&sp);
	store_tmp_fini(&t);
}

static int
files_in(const char *state)
{
	struct dirent *ent;
	char path[100];
	int n = 0;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s/mail", state);
	d = opendir(path);
	assert_non_null(d);
	while ((ent = readdir(d)) != NULL)
		n += ent->d_name[0] != '.';
	closedir(d);
	return n;
}

static void
test_spill(void **state)
{
	static const size_t steps[] = { 1, 7, 999, 4096, 5000 };
	struct store_tmp t;
	struct store s;
	struct spool *sp;

	(void)state;
	half_store(&t, &s);
	for (size_t i = 0; i < PH_LEN(steps); i++) {
		sp = spool_new(&s, 10000, 1 << 20);
		fill(sp, 65537, steps[i], true);
		assert_int_equal(files_in(t.state), 0);
		check(sp, 65537);
		spool_free(&sp);
	}
	store_tmp_fini(&t);
}

static void
test_too_big(void **state)
{
	struct store_tmp t;
	struct store s;
	struct spool *sp;
	struct slice b;

	(void)state;
	half_store(&t, &s);
	sp = spool_new(&s, 100, 10);
	assert_int_equal(spool_add(sp, SLICE("0123456789")), 0);
	assert_int_equal(spool_add(sp, SLICE("x")), ERR_TOOBIG);
	assert_int_equal(spool_add(sp, SLICE("")), ERR_TOOBIG);
	assert_int_equal(spool_status(sp), ERR_TOOBIG);
	assert_false(spool_wants_spill(sp));
	assert_int_equal(spool_spill(sp), ERR_TOOBIG);
	assert_int_equal(spool_bytes(sp, &b), ERR_TOOBIG);
	spool_free(&sp);
	store_tmp_fini(&t);
}

static void
test_no_directory(void **state)
{
	struct store_tmp t;
	struct store s;
	struct spool *sp;

	(void)state;
	half_store(&t, &s);
	s.conf.state_dir = "/nonexistent";
	sp = spool_new(&s, 5, 100);
	assert_int_equal(spool_add(sp, SLICE("0123456789")), 0);
	assert_true(spool_wants_spill(sp));
	assert_true(spool_spill(sp) < 0);
	assert_true(spool_status(sp) < 0);
	assert_true(spool_add(sp, SLICE("x")) < 0);
	spool_free(&sp);
	store_tmp_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_spill),
		cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_no_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
