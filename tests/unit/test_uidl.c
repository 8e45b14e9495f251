/*
 * POP3 unique-ids: formats, and which messages of an account get what.
 */
#include "tests/unit/store_fixture.h"

#include <stdio.h>

#include "storage/account.h"
#include "storage/msg.h"
#include "storage/uidl.h"
#include "tests/unit/store_mail.h"

#define WIDE "%020v%020u"

static void
formats(void **state)
{
	static const struct {
		const char *format, *want; /* of 17 and 4711; NULL: bad */
	} cases[] = {
		{ "%v.%u", "17.4711" },               /* the usual */
		{ "%08Xu%08Xv", "0000126700000011" }, /* Dovecot */
		{ "%08xv%08xu", "0000001100001267" },
		{ "%08Xu.%Xv", "00001267.11" },
		{ "UID%u-%v", "UID4711-17" }, /* Courier */
		{ "%%%u%%%v", "%4711%17" },
		{ "a" WIDE "%020v%u", NULL }, /* may be longer than 70 */
		{ WIDE "-%u", "00000000000000000017"
			      "00000000000000004711-4711" },
		{ "%u", NULL }, /* again after UIDVALIDITY */
		{ "%v", NULL }, /* not unique */
		{ "", NULL },
		{ "%u %v", NULL }, /* RFC 1939 7: 0x21 to 0x7E */
		{ "%u.%v\x80", NULL },
		{ "%8u%v", NULL }, /* blanks */
		{ "%021u%v", NULL },
		{ "%u%v%", NULL },
		{ "%u%v%0", NULL },
		{ "%u%v%0x", NULL },
		{ "%u%v%g", NULL },
		{ "%u.%v.56789012345678901234567890123456789", NULL },
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct slice f = slice_str(cases[i].format);
		char out[UIDL_MAX];
		size_t n;

		if (uidl_format_ok(f) != (cases[i].want != NULL))
			fail_msg("%s", cases[i].format);
		if (cases[i].want == NULL)
			continue;
		n = uidl_render(f, 17, 4711, out);
		if (!slice_eq(slice_of(out, n), slice_str(cases[i].want)))
			fail_msg("%.*s", (int)n, out);
	}
}

static void
texts(void **state)
{
	char text[UIDL_MAX + 1];

	(void)state;
	memset(text, '~', sizeof(text));
	assert_true(uidl_ok(slice_of(text, UIDL_MAX)));
	assert_false(uidl_ok(slice_of(text, UIDL_MAX + 1)));
	assert_false(uidl_ok(SLICE("")));
	for (int c = 0; c < 256; c++) {
		text[1] = (char)c;
		assert_true(
		    uidl_ok(slice_of(text, 3)) == (c >= 0x21 && c <= 0x7e));
	}
}

/* ---- in folders ---- */

struct where {
	uint64_t id;
	uint32_t validity;
};

struct world {
	struct store_fixture f;
	struct arena a;
	struct account ac;
	struct where inbox, sent;
};

static void
find(struct world *w, struct slice name, struct where *out)
{
	struct folder_status st;
	struct folder_info info;

	assert_int_equal(folder_find(w->f.s, w->ac.id, name, &info), 0);
	assert_int_equal(folder_status_get(w->f.s, info.id, &st), 0);
	*out = (struct where){ info.id, st.uidvalidity };
}

static int
setup(void **state)
{
	struct package p = { .name = SLICE("web7") };
	struct account ac = { .package = SLICE("web7") };
	struct world *w = calloc(1, sizeof(*w));
	struct err e;

	fixture_new(&w->f);
	arena_init(&w->a);
	assert_int_equal(package_add(w->f.s, &p, &e), 0);
	assert_int_equal(account_add(w->f.s, &ac, NULL, &w->a, &w->ac, &e), 0);
	find(w, SLICE("INBOX"), &w->inbox);
	find(w, SLICE("Sent"), &w->sent);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	assert_store_sound(w->f.s);
	arena_clear(&w->a);
	fixture_free(&w->f);
	free(w);
	return 0;
}

static void
set_format(struct world *w, const char *format)
{
	struct err e;

	w->ac.uidl_format = slice_str(format);
	assert_int_equal(account_set(w->f.s, &w->ac, NULL, false, &e), 0);
}

/* A message with a unique-id of its own; its UID. */
static uint32_t
import(struct world *w, uint64_t folder, const char *uidl)
{
	struct slice text = SLICE("Subject: x\r\n\r\nx\r\n");
	struct deliver_target t = {
		.account = w->ac.id, .folder = folder, .uidl = slice_str(uidl)
	};
	struct deliver_msg m = {
		.parts = &text, .nparts = 1, .targets = &t, .ntargets = 1
	};
	struct deliver d = { .msgs = &m, .nmsgs = 1 };
	struct err e = { 0 };

	assert_int_equal(deliver(w->f.s, &d, &e), 0);
	return t.uid;
}

/* printf-like: V is the folder's UIDVALIDITY. */
static void
assert_uidl(
    struct world *w, const struct where *f, uint32_t uid, const char *want)
{
	struct msg_meta m;
	char text[UIDL_MAX + 1], usual[32];

	assert_int_equal(
	    msg_meta_get(w->f.s, w->ac.id, f->id, uid, &w->a, &m), 0);
	assert_true(slice_copy(m.uidl, text, sizeof(text)));
	(void)snprintf(usual, sizeof(usual), "%u.%u", f->validity, uid);
	assert_string_equal(text, want != NULL ? want : usual);
}

static void
imports_and_doubles(void **state)
{
	struct world *w = *state;
	const struct where *in = &w->inbox;
	char longest[UIDL_MAX + 1], usual[32];
	uint32_t one, uid;
	bool any;

	assert_int_equal(uidl_any(w->f.s, w->ac.id, &any), 0);
	assert_false(any);
	one = import(w, in->id, "abc");
	assert_uidl(w, in, one, "abc");
	/* M8: a double gets a suffix, and keeps it when the first goes */
	uid = import(w, in->id, "abc");
	assert_uidl(w, in, uid, "abc-2");
	/* in another folder too: a session may open them all */
	(void)import(w, w->sent.id, "abc-3");
	assert_uidl(w, &w->sent, 1, "abc-3");
	assert_int_equal(import(w, in->id, "abc"), 3);
	assert_uidl(w, in, 3, "abc-3-3");
	assert_int_equal(
	    msg_expunge(w->f.s, w->ac.id, in->id, &one, 1, false, NULL), 0);
	assert_uidl(w, in, uid, "abc-2");
	/* the first has gone: the message that comes again is it again */
	assert_uidl(w, in, import(w, in->id, "abc"), "abc");
	memset(longest, 'y', UIDL_MAX);
	longest[UIDL_MAX] = '\0';
	assert_uidl(w, in, import(w, in->id, longest), longest);
	uid = import(w, in->id, longest);
	(void)snprintf(longest + UIDL_MAX - 2, 3, "-%u", uid);
	assert_uidl(w, in, uid, longest);
	/* what the usual rule makes, or would make, is never given away */
	(void)snprintf(usual, sizeof(usual), "%u.99", in->validity);
	uid = import(w, in->id, usual);
	(void)snprintf(usual, sizeof(usual), "%u.99-%u", in->validity, uid);
	assert_uidl(w, in, uid, usual);
	(void)snprintf(usual, sizeof(usual), "%u.%u", in->validity, uid + 1);
	assert_uidl(w, in, import(w, in->id, usual), NULL);
	assert_int_equal(uidl_any(w->f.s, w->ac.id, &any), 0);
	assert_true(any);
}

/* M1: the format counts when a message comes, and never again. */
static void
formats_of_accounts(void **state)
{
	struct world *w = *state;
	const struct where *in = &w->inbox;
	char text[2][UIDL_MAX + 1];
	struct msg_copied c;
	uint32_t uids[] = { 1, 2 };

	(void)import(w, in->id, "");
	set_format(w, "%08xu%08xv");
	(void)import(w, in->id, "");
	(void)import(w, in->id, "mine");
	(void)snprintf(text[0], sizeof(text[0]), "00000002%08x", in->validity);
	assert_uidl(w, in, 1, NULL);
	assert_uidl(w, in, 2, text[0]);
	assert_uidl(w, in, 3, "mine");
	set_format(w, "U%u-%v");
	(void)import(w, in->id, "");
	(void)snprintf(text[1], sizeof(text[1]), "U4-%u", in->validity);
	assert_uidl(w, in, 4, text[1]);
	/* a copy, and a message that moves, is a new one */
	assert_int_equal(msg_copy(w->f.s, w->ac.id, in->id, uids, 2, w->ac.id,
			     w->sent.id, false, &c),
	    0);
	msg_copied_fini(&c);
	(void)snprintf(text[1], sizeof(text[1]), "U2-%u", w->sent.validity);
	assert_uidl(w, &w->sent, 2, text[1]);
	set_format(w, "");
	assert_int_equal(msg_copy(w->f.s, w->ac.id, in->id, uids + 1, 1,
			     w->ac.id, in->id, true, &c),
	    0);
	msg_copied_fini(&c);
	assert_uidl(w, in, 5, NULL);
	assert_uidl(w, &w->sent, 2, text[1]);
}

static void
bad_ones_are_refused(void **state)
{
	struct world *w = *state;
	struct slice text = SLICE("x\r\n");
	struct deliver_target t = { .account = w->ac.id, .uidl = SLICE("a b") };
	struct deliver_msg m = {
		.parts = &text, .nparts = 1, .targets = &t, .ntargets = 1
	};
	struct deliver d = { .msgs = &m, .nmsgs = 1 };
	struct err e = { 0 };

	assert_int_equal(deliver(w->f.s, &d, &e), ERR_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats),
		cmocka_unit_test(texts),
		cmocka_unit_test_setup_teardown(
		    imports_and_doubles, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    formats_of_accounts, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    bad_ones_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
