#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/leafcert.h"
#include "admin/selfcert.h"

enum { PEM_MAX = 64 << 10 };

static const char *const names[] = { "kunde.example", "*.wild.example" };

static void
names_and_trust(void **state)
{
	char path[] = "/tmp/posthof-leafcert-XXXXXX";
	struct buf ca, ca_key, cert, key;
	struct buf *all[] = { &ca, &ca_key, &cert, &key };
	struct leafcert_cas *known, *none;
	struct leafcert *leaf;
	const char *why;
	int fd = mkstemp(path);

	(void)state;
	for (size_t i = 0; i < PH_LEN(all); i++)
		buf_init(all[i], PEM_MAX);
	assert_int_equal(selfcert_ca("Test CA", &ca, &ca_key, NULL), 0);
	assert_int_equal(selfcert_issue(buf_slice(&ca), buf_slice(&ca_key),
			     names, PH_LEN(names), &cert, &key, NULL),
	    0);
	assert_int_equal(write(fd, ca.p, buf_len(&ca)), (ssize_t)buf_len(&ca));
	leaf = leafcert_read(buf_slice(&cert));
	assert_non_null(leaf);
	assert_true(leafcert_covers(leaf, "kunde.example"));
	assert_true(leafcert_covers(leaf, "a.wild.example"));
	assert_false(leafcert_covers(leaf, "a.b.wild.example"));
	assert_false(leafcert_covers(leaf, "www.kunde.example"));
	known = leafcert_cas_new(path);
	none = leafcert_cas_new("/nonexistent/ca.pem");
	assert_true(leafcert_trusted(leaf, known, &why));
	assert_false(leafcert_trusted(leaf, none, &why));
	assert_string_equal(why, "unable to get local issuer certificate");
	leafcert_cas_free(&known);
	leafcert_cas_free(&none);
	leafcert_free(&leaf);
	for (size_t i = 0; i < PH_LEN(all); i++)
		buf_fini(all[i]);
	close(fd);
	(void)unlink(path);
}

static void
no_chain(void **state)
{
	(void)state;
	assert_null(leafcert_read(SLICE("")));
	assert_null(leafcert_read(SLICE("-----BEGIN CERTIFICATE-----\n")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_trust),
		cmocka_unit_test(no_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
