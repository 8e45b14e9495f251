/*
 * Notes: what a rebuild would find in the segments.
 */
#include "tests/unit/store_fixture.h"

#include "storage/msg.h"
#include "storage/note.h"
#include "storage/rec.h"
#include "storage/segment_file.h"
#include "storage/segment_priv.h"
#include "storage/segment_scan.h"
#include "tests/unit/store_mail.h"

enum { TAGS = 40 };

/* One note, its fields by tag; UIDs of all "32 33" pairs in a row. */
struct found {
	enum rec_kind kind;
	char text[TAGS][300];
	uint64_t num[TAGS];
	bool has[TAGS];
	uint32_t uids[3000];
	size_t nuids;
	uint64_t states;
};

struct all {
	struct found *v;
	size_t n;
};

static void
add_uids(struct found *f, struct slice bytes)
{
	uint64_t uid = 0, more;

	while (bytes.n > 0) {
		assert_true(rec_varint(&bytes, &more));
		uid += more;
		f->uids[f->nuids++] = (uint32_t)uid;
	}
}

static int
see(const struct seg_found *s, void *arg)
{
	struct all *a = arg;
	struct slice rest = s->desc, bytes;
	struct found *f;
	uint8_t tag;
	bool bad;

	if (s->rec.kind == REC_BODY)
		return 0;
	a->v = realloc(a->v, (a->n + 1) * sizeof(*a->v));
	f = &a->v[a->n++];
	memset(f, 0, sizeof(*f));
	f->kind = s->rec.kind;
	while (rec_next(&rest, &tag, &bytes, &bad)) {
		assert_true(tag < TAGS);
		f->has[tag] = true;
		f->num[tag] = rec_u64(bytes);
		if (bytes.n < sizeof(f->text[tag]))
			memcpy(f->text[tag], bytes.p, bytes.n);
		f->states += tag == 32;
		if (tag == 33 || tag == 34)
			add_uids(f, bytes);
	}
	assert_false(bad);
	return 0;
}

static struct all
scan(struct store_fixture *f)
{
	struct seg_scan_result r;
	struct segment_file *file;
	struct all a = { 0 };

	assert_int_equal(store_sync_now(f->s), 0); /* notes go with it */
	assert_int_equal(segment_file_get(f->s->segments->files, 1, &file), 0);
	assert_int_equal(segment_scan(segment_file_fd(file), SEG_HEADER,
			     FIXTURE_SEGMENT, see, &a, &r),
	    0);
	segment_file_put(f->s->segments->files, &file);
	return a;
}

static void
a_life(void **state)
{
	struct store_fixture *f = *state;
	struct slice text = SLICE("A: b\r\n\r\n"), kw = SLICE("$Junk");
	struct deliver_target t = { .account = 1,
		.flags = MSG_FLAGGED,
		.keywords = &kw,
		.nkeywords = 1,
		.prefix = SLICE("P: q\r\n"),
		.uidl = SLICE("imported-7") };
	struct deliver_msg m = { .parts = &text,
		.nparts = 1,
		.internal_date = 77,
		.targets = &t,
		.ntargets = 1 };
	struct deliver d = { .msgs = &m, .nmsgs = 1 };
	struct msg_change ch = { .uids = &t.uid,
		.n = 1,
		.op = MSG_OP_SET,
		.flags = MSG_SEEN,
		.unchanged_since = UINT64_MAX };
	struct folder_info info;
	struct msg_meta meta;
	struct arena ar;
	struct all a;
	struct err e;
	size_t n = 0;

	assert_int_equal(deliver(f->s, &d, &e), 0);
	arena_init(&ar);
	assert_int_equal(
	    msg_meta_get(f->s, 1, f->inbox[1], t.uid, &ar, &meta), 0);
	assert_slice(meta.uidl, "imported-7");
	arena_clear(&ar);
	assert_int_equal(msg_store_flags(f->s, 1, f->inbox[1], &ch), 0);
	msg_change_fini(&ch);
	assert_int_equal(
	    msg_expunge(f->s, 1, f->inbox[1], &t.uid, 1, false, NULL), 0);
	assert_int_equal(
	    folder_create(f->s, 1, SLICE("x"), USE_NONE, &info, &e), 0);
	assert_int_equal(folder_rename(f->s, 1, SLICE("x"), SLICE("y"), &e), 0);
	assert_int_equal(folder_delete(f->s, 1, SLICE("y"), &e), 0);
	a = scan(f);
	/* twelve folders of the two accounts come first */
	while (n < a.n && a.v[n].has[36])
		n++;
	assert_int_equal(n, 12);
	assert_string_equal(a.v[0].text[36], "INBOX");
	assert_string_equal(a.v[0].text[1], "web1p1");
	assert_int_equal(a.n, n + 7);
	assert_int_equal(a.v[n].text[35][0], 0); /* bit 0 */
	assert_string_equal(a.v[n].text[35] + 1, "$Junk");
	n++;
	assert_int_equal(a.v[n].kind, REC_PLACE);
	assert_string_equal(a.v[n].text[1], "web1p1");
	assert_string_equal(a.v[n].text[2], "INBOX");
	assert_int_equal(a.v[n].num[3], f->inbox[1]);
	assert_int_equal(a.v[n].num[4], t.uidvalidity);
	assert_int_equal(a.v[n].num[5], t.uid);
	assert_int_equal(a.v[n].num[6], t.msgid);
	assert_int_equal(a.v[n].num[7], meta.body);
	assert_int_equal(a.v[n].num[8], MSG_FLAGGED);
	assert_int_equal(a.v[n].num[9], 1);
	assert_string_equal(a.v[n].text[10], "$Junk");
	assert_int_equal(a.v[n].num[11], 77);
	assert_int_equal(a.v[n].num[13], 2);
	assert_string_equal(a.v[n].text[14], "P: q\r\n");
	assert_string_equal(a.v[n].text[15], "imported-7");
	n++;
	assert_int_equal(a.v[n].num[32], (uint64_t)MSG_SEEN << 48);
	assert_int_equal(a.v[n].nuids, 1);
	assert_int_equal(a.v[n].num[13], 3);
	n++;
	assert_true(a.v[n].has[34]);
	assert_int_equal(a.v[n].uids[0], t.uid);
	n++;
	assert_string_equal(a.v[n].text[36], "x");
	assert_int_equal(a.v[n].num[4], info.status.uidvalidity);
	assert_string_equal(a.v[n + 1].text[37], "y");
	assert_true(a.v[n + 2].has[38]);
	assert_int_equal(a.v[n + 2].num[3], info.id);
	free(a.v);
}

/* More than one note has room for. */
static void
large(void **state)
{
	enum { N = 5000 };
	struct store_fixture *f = *state;
	struct hot_entry *e = calloc(N, sizeof(*e));
	uint32_t *uids = calloc(N, sizeof(*uids));
	size_t flags = 0, gone = 0, states = 0;
	struct all a;

	for (uint32_t i = 0; i < N; i++) {
		uids[i] = e[i].uid = 7 + i * 300;
		e[i].flags = i / 3 % 2;
		e[i].modseq = 9;
	}
	note_flags(f->s, 1, f->inbox[1], e, N);
	note_gone(f->s, 1, f->inbox[1], 10, uids, N);
	note_flags(f->s, 1, f->inbox[1], e, 0);
	note_gone(f->s, 1, f->inbox[1], 10, uids, 0);
	a = scan(f);
	for (size_t i = 0; i < a.n; i++)
		for (size_t k = 0; k < a.v[i].nuids; k++) {
			size_t *at = a.v[i].has[34] ? &gone : &flags;

			assert_int_equal(a.v[i].uids[k], uids[*at]);
			++*at;
			states += k == 0 ? a.v[i].states : 0;
		}
	assert_int_equal(flags, N);
	assert_int_equal(gone, N);
	assert_true(states >= N / 3);
	free(a.v);
	free(uids);
	free(e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_life),
		FIXTURE_TEST(large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
