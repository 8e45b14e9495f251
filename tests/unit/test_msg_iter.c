/*
 * Listings of messages, and their bytes.
 */
#include "tests/unit/store_fixture.h"

#include <stdio.h>

#include "storage/msg.h"
#include "tests/unit/store_mail.h"

enum { WANT_ALL = MSG_WANT_META | MSG_WANT_UIDL };

/* Everything the iterator gives for these UIDs must be message number UID. */
static size_t
count(struct store_fixture *f, const uint32_t *uids, size_t n, uint32_t from,
    unsigned want)
{
	char text[300], uidl[40];
	struct folder_status st;
	struct msg_iter *it;
	struct msg_meta m;
	uint32_t last = 0;
	size_t got = 0;
	int rc;

	assert_int_equal(folder_status_get(f->s, f->inbox[1], &st), 0);
	assert_int_equal(
	    msg_iter_open(f->s, 1, f->inbox[1], uids, n, from, want, &it), 0);
	while ((rc = msg_iter_next(it, &m)) == 0) {
		assert_true(m.uid > last);
		last = m.uid;
		got++;
		assert_int_equal(
		    m.size, mail_text(text, sizeof(text), m.uid).n);
		if (!(want & MSG_WANT_UIDL))
			assert_null(m.uidl.p);
		(void)snprintf(
		    uidl, sizeof(uidl), "%u.%u", st.uidvalidity, m.uid);
		if (want & MSG_WANT_UIDL)
			assert_slice(m.uidl, uidl);
		if (!(want & MSG_WANT_META))
			continue;
		assert_true(m.body != 0);
		assert_true(m.envelope.n > 50 && m.envelope.p[0] == '(');
		assert_true(m.bodystructure.n > 10);
		assert_true(m.structure.n > 0);
	}
	assert_int_equal(rc, ERR_NOTFOUND);
	assert_int_equal(msg_iter_next(it, &m), ERR_NOTFOUND);
	msg_iter_close(&it);
	assert_null(it);
	return got;
}

static void
listing(void **state)
{
	struct store_fixture *f = *state;
	uint32_t sparse[200], dense[700], gone[] = { 7, 100, 101, 102, 600 };

	assert_int_equal(count(f, NULL, 0, 1, MSG_WANT_META), 0);
	put_mails(f->s, 1, f->inbox[1], 1000);
	for (uint32_t i = 0; i < PH_LEN(sparse); i++)
		sparse[i] = 3 + i * 5;
	for (uint32_t i = 0; i < PH_LEN(dense); i++)
		dense[i] = 50 + i;
	for (unsigned want = 0; want <= WANT_ALL; want++) {
		assert_int_equal(count(f, NULL, 0, 1, want), 1000);
		assert_int_equal(count(f, NULL, 0, 901, want), 100);
		assert_int_equal(count(f, NULL, 0, 1001, want), 0);
		assert_int_equal(count(f, sparse, 200, 1, want), 200);
		assert_int_equal(count(f, sparse, 200, 500, want), 100);
		assert_int_equal(count(f, dense, 700, 1, want), 700);
		assert_int_equal(count(f, dense, 0, 1, want), 0);
		assert_int_equal(count(f, dense, 1, 1, want), 1);
	}
	assert_int_equal(
	    msg_expunge(f->s, 1, f->inbox[1], gone, 5, false, NULL), 0);
	/* Without meta, what was read once is remembered. */
	assert_int_equal(count(f, dense, 700, 1, MSG_WANT_INFO), 700);
	for (unsigned want = MSG_WANT_META; want <= WANT_ALL; want++) {
		assert_int_equal(count(f, NULL, 0, 1, want), 995);
		assert_int_equal(count(f, dense, 700, 1, want), 696);
		assert_int_equal(count(f, gone, 5, 1, want), 0);
	}
}

/* A message with a large header: its record is many chunks. */
static void
large_records(void **state)
{
	struct store_fixture *f = *state;
	struct buf b, got;
	struct msg_iter *it;
	struct msg_meta m;
	size_t n = 0, kept = 0;

	buf_init(&b, 1 << 20);
	buf_init(&got, 1 << 20);
	for (unsigned k = 0; k < 40; k++) {
		buf_clear(&b);
		buf_printf(&b, "Subject: %u\r\n", k);
		for (unsigned i = 0; i < k * 50; i++)
			buf_printf(&b, "To: someone%u@example.org\r\n", i);
		buf_add_str(&b, "\r\ntext\r\n");
		(void)put_mail(f->s, 1, f->inbox[1], 0, buf_slice(&b));
	}
	assert_int_equal(
	    msg_iter_open(f->s, 1, f->inbox[1], NULL, 0, 1, MSG_WANT_META, &it),
	    0);
	while (msg_iter_next(it, &m) == 0) {
		n++;
		assert_int_equal(m.uid, n);
		/* over its cap a piece is left out, not cut */
		assert_true(m.envelope.p != NULL || m.uid > 30);
		assert_true(m.envelope.p == NULL || m.uid == kept + 1);
		kept += m.envelope.p != NULL;
		assert_true(m.headers.p != NULL || m.uid > 20);
		assert_slice(m.preview, "text");
		buf_clear(&got);
		assert_int_equal(msg_read(f->s, &m, 0, SIZE_MAX, &got), 0);
		assert_int_equal(buf_len(&got), m.size);
	}
	assert_int_equal(n, 40);
	assert_true(kept < 40);
	msg_iter_close(&it);
	buf_fini(&b);
	buf_fini(&got);
}

static void
reading(void **state)
{
	static const char prefix[] = "Return-Path: <x@example.org>\r\n"
				     "Delivered-To: web1p1\r\n";
	struct store_fixture *f = *state;
	char text[300], whole[400];
	struct slice t = mail_text(text, sizeof(text), 1);
	struct deliver_target to = { .account = 1,
		.prefix = slice_str(prefix) };
	struct deliver_msg dm = {
		.parts = &t, .nparts = 1, .targets = &to, .ntargets = 1
	};
	struct deliver d = { .msgs = &dm, .nmsgs = 1 };
	struct msg_meta m;
	struct arena a;
	struct buf b;
	size_t n = strlen(prefix) + t.n;

	memcpy(whole, prefix, strlen(prefix));
	memcpy(whole + strlen(prefix), t.p, t.n);
	assert_int_equal(deliver(f->s, &d, NULL), 0);
	arena_init(&a);
	buf_init(&b, 1000);
	assert_int_equal(msg_meta_get(f->s, 1, f->inbox[1], to.uid, &a, &m), 0);
	assert_int_equal(m.size, n);
	assert_slice(m.prefix, prefix);
	assert_int_equal(m.header_bytes, n - strlen("Body of number 1.\r\n"));
	assert_true(slice_starts(m.headers, slice_str(prefix)));
	for (size_t off = 0; off <= n + 1; off++)
		for (size_t len = 0; len <= n + 2; len += 7) {
			size_t want = off >= n ? 0 : n - off;

			want = want < len ? want : len;
			buf_clear(&b);
			assert_int_equal(msg_read(f->s, &m, off, len, &b), 0);
			assert_int_equal(buf_len(&b), want);
			if (want > 0)
				assert_memory_equal(
				    buf_slice(&b).p, whole + off, want);
		}
	/* the hint is stale: the body table knows */
	m.hint_offset += 8192;
	buf_clear(&b);
	assert_int_equal(msg_read(f->s, &m, 0, n, &b), 0);
	assert_true(slice_eq(buf_slice(&b), slice_of(whole, n)));
	assert_int_equal(
	    msg_meta_get(f->s, 1, f->inbox[1], 99, &a, &m), ERR_NOTFOUND);
	assert_int_equal(
	    msg_meta_get(f->s, 2, f->inbox[1], 1, &a, &m), ERR_NOTFOUND);
	arena_clear(&a);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(listing),
		FIXTURE_TEST(large_records),
		FIXTURE_TEST(reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
