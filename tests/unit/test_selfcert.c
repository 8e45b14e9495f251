#include "tests/unit/unit.h"

#include "admin/selfcert.h"
#include "lib/base/clock.h"

enum { PEM_MAX = 64 << 10, DAY_SEC = 86400 };

/* A CA and two certificates from it. */
struct made {
	struct buf ca, ca_key, cert, key, cert2, key2;
};

static const char *const names[] = { "kunde.example", "mail.kunde.example",
	"127.0.0.1", "::1" };

static int
make(void **state)
{
	struct made *m = calloc(1, sizeof(*m));
	struct buf *all[] = { &m->ca, &m->ca_key, &m->cert, &m->key, &m->cert2,
		&m->key2 };

	for (size_t i = 0; i < PH_LEN(all); i++)
		buf_init(all[i], PEM_MAX);
	*state = m;
	if (selfcert_ca("Test CA", &m->ca, &m->ca_key, NULL) != 0 ||
	    selfcert_issue(buf_slice(&m->ca), buf_slice(&m->ca_key), names,
		PH_LEN(names), &m->cert, &m->key, NULL) != 0)
		return -1;
	return selfcert_issue(buf_slice(&m->ca), buf_slice(&m->ca_key), names,
	    1, &m->cert2, &m->key2, NULL);
}

static int
drop(void **state)
{
	struct made *m = *state;
	struct buf *all[] = { &m->ca, &m->ca_key, &m->cert, &m->key, &m->cert2,
		&m->key2 };

	for (size_t i = 0; i < PH_LEN(all); i++)
		buf_fini(all[i]);
	free(m);
	return 0;
}

static void
a_good_pair(void **state)
{
	struct made *m = *state;
	struct selfcert_look look;
	int64_t days;

	assert_int_equal(selfcert_check(buf_slice(&m->cert), buf_slice(&m->key),
			     "mail.kunde.example", &look, NULL),
	    0);
	assert_true(look.covers);
	days = (look.expires_at - clock_wall_sec()) / DAY_SEC;
	assert_in_range(days, 823, 825);
	assert_int_equal(selfcert_check(buf_slice(&m->cert), buf_slice(&m->key),
			     "other.example", &look, NULL),
	    0);
	assert_false(look.covers);
	assert_int_equal(selfcert_check(buf_slice(&m->cert), buf_slice(&m->key),
			     NULL, &look, NULL),
	    0);
}

static void
bad_pairs(void **state)
{
	struct made *m = *state;
	const struct {
		struct slice chain, key;
	} cases[] = {
		{ buf_slice(&m->cert), buf_slice(&m->key2) },
		{ buf_slice(&m->cert), buf_slice(&m->cert) },
		{ buf_slice(&m->key), buf_slice(&m->key) },
		{ SLICE(""), buf_slice(&m->key) },
		{ buf_slice(&m->cert), SLICE("") },
		{ SLICE("-----BEGIN CERTIFICATE-----\nx\n"), SLICE("y") },
	};

	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct selfcert_look look;
		struct err e = { 0 };

		assert_int_equal(selfcert_check(cases[i].chain, cases[i].key,
				     NULL, &look, &e),
		    ERR_TLS);
		assert_true(e.text[0] != '\0');
	}
}

static void
no_ca(void **state)
{
	struct buf cert, key;

	(void)state;
	buf_init(&cert, PEM_MAX);
	buf_init(&key, PEM_MAX);
	assert_int_equal(
	    selfcert_issue(SLICE("x"), SLICE("y"), names, 1, &cert, &key, NULL),
	    ERR_TLS);
	buf_fini(&cert);
	buf_fini(&key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_pair),
		cmocka_unit_test(bad_pairs),
		cmocka_unit_test(no_ca),
	};

	return cmocka_run_group_tests(tests, make, drop);
}
