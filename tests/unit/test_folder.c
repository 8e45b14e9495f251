/*
 * Folders: names, making, deleting, renaming, subscribing.
 */
#include "tests/unit/store_fixture.h"

#include "storage/folder.h"
#include "storage/folder_name.h"
#include "storage/folder_purge.h"
#include "storage/msg.h"
#include "storage/verify.h"
#include "tests/unit/store_mail.h"

/* All names, space-separated, with '*' for subscribed and '!' for names
 * without a folder. */
static char *
names(struct store_fixture *f, uint64_t account)
{
	struct folder_info *v;
	struct arena a;
	struct buf b;
	size_t n;

	arena_init(&a);
	buf_init(&b, 100000);
	assert_int_equal(folder_list(f->s, account, true, &a, &v, &n), 0);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_add_char(&b, ' ');
		buf_add_slice(&b, v[i].name);
		if ((v[i].flags & FOLDER_SUBSCRIBED) != 0)
			buf_add_char(&b, '*');
		if ((v[i].flags & FOLDER_NOSELECT) != 0)
			buf_add_char(&b, '!');
		if (v[i].has_children)
			buf_add_char(&b, '+');
	}
	arena_clear(&a);
	return buf_take_str(&b);
}

static void
assert_names(struct store_fixture *f, const char *want)
{
	char *got = names(f, 1);

	assert_string_equal(got, want);
	free(got);
}

#define DEFAULTS "Archive* Drafts* Junk* Sent* Trash*"

static void
name_rules(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "a", "a" },
		{ "inbox", "INBOX" },
		{ "InBoX/Sub", "INBOX/Sub" },
		{ "inboxes", "inboxes" },
		{ "a/inbox", "a/inbox" },
		{ "a/", "a" },
		{ "50% *", "50% *" },
		{ "a&b", "a&b" },
		{ "Entw\xc3\xbcrfe", "Entw\xc3\xbcrfe" },
		{ "Entwu\xcc\x88rfe", "Entw\xc3\xbcrfe" }, /* NFD */
		{ "", NULL },
		{ "/", NULL },
		{ "/a", NULL },
		{ "a//b", NULL },
		{ "a/b//", NULL },
		{ "#news", NULL },
		{ "a\tb", NULL },
		{ "a\x7f", NULL },
		{ "\xc3", NULL },
		{ "a\xc2\x85", NULL },
		{ "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21",
		    NULL },
	};
	struct folder_name n;
	const char *why;
	char big[300];

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		bool ok = folder_name_fold(slice_str(cases[i].in), &n, &why);

		assert_int_equal(ok, cases[i].want != NULL);
		if (ok)
			assert_slice(folder_name_slice(&n), cases[i].want);
		else
			assert_non_null(why);
	}
	memset(big, 'x', sizeof(big));
	assert_true(folder_name_ok(slice_of(big, 255), &why));
	assert_false(folder_name_ok(slice_of(big, 256), &why));
	assert_false(folder_name_ok(slice_of("a\0b", 3), &why));
}

static void
order(void **state)
{
	static const char *const rising[] = { "INBOX", "INBOX/a", "A", "A/b",
		"A/b/c", "A b", "A-b", "AB", "a" };

	(void)state;
	for (size_t i = 0; i < PH_LEN(rising); i++)
		for (size_t k = 0; k < PH_LEN(rising); k++) {
			int c = folder_name_cmp(
			    slice_str(rising[i]), slice_str(rising[k]));

			assert_int_equal((c > 0) - (c < 0), (i > k) - (i < k));
		}
}

static void
defaults(void **state)
{
	struct store_fixture *f = *state;
	struct folder_info info;

	assert_names(f, "INBOX* " DEFAULTS);
	assert_int_equal(folder_create_defaults(f->s, 1), 0);
	assert_names(f, "INBOX* " DEFAULTS);
	assert_int_equal(folder_find(f->s, 1, SLICE("Sent"), &info), 0);
	assert_int_equal(info.use, USE_SENT);
	assert_int_equal(info.status.uidnext, 1);
	assert_int_equal(info.status.highestmodseq, 1);
	assert_int_equal(folder_find(f->s, 1, SLICE("iNbOx"), &info), 0);
	assert_true(info.id == f->inbox[1]);
	assert_int_equal(
	    folder_find(f->s, 1, SLICE("sent"), &info), ERR_NOTFOUND);
}

static void
create(void **state)
{
	struct store_fixture *f = *state;
	struct folder_info info, other;
	struct err e;
	uint32_t uv;

	assert_int_equal(
	    folder_create(f->s, 1, SLICE("a/b/c"), USE_NONE, &info, &e), 0);
	assert_slice(info.name, "a/b/c");
	assert_names(f, "INBOX* " DEFAULTS " a+ a/b+ a/b/c");
	uv = info.status.uidvalidity;
	assert_int_equal(
	    folder_create(f->s, 1, SLICE("a/b"), USE_NONE, &info, &e),
	    ERR_EXISTS);
	assert_int_equal(
	    folder_create(f->s, 1, SLICE("inbox"), USE_NONE, NULL, &e),
	    ERR_EXISTS);
	assert_int_equal(
	    folder_create(f->s, 1, SLICE("x/"), USE_NONE, &info, &e), 0);
	assert_true(info.status.uidvalidity > uv);
	uv = info.status.uidvalidity;
	assert_int_equal(folder_delete(f->s, 1, SLICE("x"), &e), 0);
	assert_int_equal(
	    folder_create(f->s, 1, SLICE("x"), USE_NONE, &other, &e), 0);
	assert_true(other.status.uidvalidity > uv);
	assert_true(other.id != info.id);
	assert_int_equal(
	    folder_create(f->s, 1, SLICE("b//c"), USE_NONE, &info, &e),
	    ERR_INVALID);
	assert_true(e.text[0] != '\0');
	/* the other account has its own names */
	assert_int_equal(folder_find(f->s, 2, SLICE("x"), &info), ERR_NOTFOUND);
}

static void
special_use(void **state)
{
	struct store_fixture *f = *state;
	struct folder_info info;
	struct err e;

	/* there is a Sent folder: the synonym gets nothing */
	assert_int_equal(folder_create(f->s, 1, SLICE("Gesendete Objekte"),
			     USE_NONE, &info, &e),
	    0);
	assert_int_equal(info.use, USE_NONE);
	assert_int_equal(
	    folder_create(f->s, 1, SLICE("Mein Gesendet"), USE_SENT, &info, &e),
	    ERR_UNSUPPORTED);
	assert_int_equal(folder_delete(f->s, 1, SLICE("Sent"), &e), 0);
	assert_int_equal(
	    folder_create(f->s, 1, SLICE("Gesendet"), USE_NONE, &info, &e), 0);
	assert_int_equal(info.use, USE_SENT);
	assert_int_equal(folder_delete(f->s, 1, SLICE("Drafts"), &e), 0);
	assert_int_equal(folder_create(f->s, 1, SLICE("INBOX/Entwu\xcc\x88rfe"),
			     USE_NONE, &info, &e),
	    0);
	assert_int_equal(info.use, USE_DRAFTS);
	assert_int_equal(folder_delete(f->s, 1, SLICE("Trash"), &e), 0);
	assert_int_equal(
	    folder_create(f->s, 1, SLICE("Tonne"), USE_TRASH, &info, &e), 0);
	assert_int_equal(info.use, USE_TRASH);
	assert_int_equal(folder_name_use(SLICE("x/Trash")), USE_NONE);
	assert_int_equal(folder_name_use(SLICE("JUNK e-mail")), USE_JUNK);
}

static void
deleting(void **state)
{
	struct store_fixture *f = *state;
	struct folder_info info;
	struct err e;

	assert_int_equal(
	    folder_delete(f->s, 1, SLICE("INBOX"), &e), ERR_DENIED);
	assert_int_equal(
	    folder_delete(f->s, 1, SLICE("none"), &e), ERR_NOTFOUND);
	assert_int_equal(
	    folder_create(f->s, 1, SLICE("p/c"), USE_NONE, &info, &e), 0);
	assert_int_equal(folder_find(f->s, 1, SLICE("p"), &info), 0);
	put_mails(f->s, 1, info.id, 5);
	/* a parent keeps its name and loses its messages */
	assert_int_equal(folder_delete(f->s, 1, SLICE("p"), &e), 0);
	assert_names(f, "INBOX* " DEFAULTS " p+ p/c");
	assert_int_equal(folder_find(f->s, 1, SLICE("p"), &info), 0);
	assert_int_equal(info.status.messages, 0);
	assert_int_equal(info.status.uidnext, 6);
	assert_int_equal(folder_find(f->s, 1, SLICE("p/c"), &info), 0);
	put_mails(f->s, 1, info.id, 3);
	assert_int_equal(folder_delete(f->s, 1, SLICE("p/c"), &e), 0);
	assert_int_equal(folder_delete(f->s, 1, SLICE("p"), &e), 0);
	assert_names(f, "INBOX* " DEFAULTS);
	/* a subscription outlives its folder */
	assert_int_equal(folder_delete(f->s, 1, SLICE("Junk"), &e), 0);
	assert_names(f, "INBOX* Archive* Drafts* Junk*! Sent* Trash*");
	assert_int_equal(
	    folder_create(f->s, 1, SLICE("Junk"), USE_NONE, &info, &e), 0);
	assert_int_equal(info.use, USE_JUNK);
	assert_names(f, "INBOX* " DEFAULTS);
}

/* More than one transaction takes. */
static void
delete_large(void **state)
{
	struct store_fixture *f = *state;
	struct folder_info info;
	struct err e;

	assert_int_equal(
	    folder_create(f->s, 1, SLICE("big"), USE_NONE, &info, &e), 0);
	put_mails(f->s, 1, info.id, 5000);
	assert_int_equal(folder_delete(f->s, 1, SLICE("big"), &e), 0);
	assert_names(f, "INBOX* " DEFAULTS);
}

static void
renaming(void **state)
{
	struct store_fixture *f = *state;
	struct folder_info info, before;
	struct err e;

	assert_int_equal(
	    folder_create(f->s, 1, SLICE("a/b/c"), USE_NONE, NULL, &e), 0);
	assert_int_equal(folder_subscribe(f->s, 1, SLICE("a/b"), true, &e), 0);
	assert_int_equal(
	    folder_subscribe(f->s, 1, SLICE("a/gone"), true, &e), 0);
	assert_int_equal(folder_find(f->s, 1, SLICE("a/b"), &before), 0);
	assert_int_equal(
	    folder_rename(f->s, 1, SLICE("a"), SLICE("x/y"), &e), 0);
	assert_names(
	    f, "INBOX* " DEFAULTS " x+ x/y+ x/y/b*+ x/y/b/c x/y/gone*!");
	assert_int_equal(folder_find(f->s, 1, SLICE("x/y/b"), &info), 0);
	assert_true(info.id == before.id);
	assert_int_equal(info.status.uidvalidity, before.status.uidvalidity);
	assert_int_equal(
	    folder_rename(f->s, 1, SLICE("a"), SLICE("q"), &e), ERR_NOTFOUND);
	assert_int_equal(
	    folder_rename(f->s, 1, SLICE("x"), SLICE("Sent"), &e), ERR_EXISTS);
	assert_int_equal(
	    folder_rename(f->s, 1, SLICE("x"), SLICE("inbox"), &e), ERR_EXISTS);
	assert_int_equal(
	    folder_rename(f->s, 1, SLICE("x"), SLICE("x/z"), &e), ERR_INVALID);
	assert_int_equal(
	    folder_rename(f->s, 1, SLICE("x"), SLICE("x"), &e), ERR_EXISTS);
	assert_int_equal(
	    folder_rename(f->s, 1, SLICE("x/y/b"), SLICE("X"), &e), 0);
	assert_names(f, "INBOX* Archive* Drafts* Junk* Sent* Trash* X*+ X/c "
			"x+ x/y x/y/gone*!");
	/* the role goes along */
	assert_int_equal(
	    folder_rename(f->s, 1, SLICE("Sent"), SLICE("Gesendet"), &e), 0);
	assert_int_equal(folder_find(f->s, 1, SLICE("Gesendet"), &info), 0);
	assert_int_equal(info.use, USE_SENT);
}

static void
rename_too_long(void **state)
{
	struct store_fixture *f = *state;
	char name[200], to[170];
	struct err e;

	memset(name, 'n', sizeof(name));
	memset(to, 'm', sizeof(to));
	name[100] = '/';
	assert_int_equal(folder_create(f->s, 1, slice_of(name, sizeof(name)),
			     USE_NONE, NULL, &e),
	    0);
	assert_int_equal(folder_rename(f->s, 1, slice_of(name, 100),
			     slice_of(to, sizeof(to)), &e),
	    ERR_INVALID);
	assert_int_equal(
	    folder_rename(f->s, 1, slice_of(name, 100), slice_of(to, 150), &e),
	    0);
}

static void
rename_inbox(void **state)
{
	struct store_fixture *f = *state;
	struct folder_info info;
	struct err e;

	assert_int_equal(
	    folder_create(f->s, 1, SLICE("INBOX/sub"), USE_NONE, NULL, &e), 0);
	put_mails(f->s, 1, f->inbox[1], 40);
	assert_int_equal(
	    folder_rename(f->s, 1, SLICE("Inbox"), SLICE("old/mail"), &e), 0);
	assert_names(f, "INBOX*+ INBOX/sub " DEFAULTS " old+ old/mail");
	assert_int_equal(folder_find(f->s, 1, SLICE("INBOX"), &info), 0);
	assert_true(info.id == f->inbox[1]);
	assert_int_equal(info.status.messages, 0);
	assert_int_equal(info.status.uidnext, 41);
	assert_int_equal(folder_find(f->s, 1, SLICE("old/mail"), &info), 0);
	assert_int_equal(info.status.messages, 40);
	assert_int_equal(
	    folder_rename(f->s, 1, SLICE("INBOX"), SLICE("Sent"), &e),
	    ERR_EXISTS);
}

static void
subscribing(void **state)
{
	struct store_fixture *f = *state;
	struct err e;

	assert_int_equal(
	    folder_subscribe(f->s, 1, SLICE("Sent"), false, &e), 0);
	assert_int_equal(
	    folder_subscribe(f->s, 1, SLICE("Sent"), false, &e), ERR_NOTFOUND);
	assert_int_equal(
	    folder_subscribe(f->s, 1, SLICE("nowhere"), true, &e), 0);
	assert_int_equal(
	    folder_subscribe(f->s, 1, SLICE("inbox"), false, &e), 0);
	assert_names(f, "INBOX Archive* Drafts* Junk* Sent Trash* nowhere*!");
	assert_int_equal(
	    folder_subscribe(f->s, 1, SLICE("nowhere"), false, &e), 0);
	assert_int_equal(
	    folder_subscribe(f->s, 1, SLICE("a//b"), true, &e), ERR_INVALID);
	assert_names(f, "INBOX Archive* Drafts* Junk* Sent Trash*");
}

static void
purge(void **state)
{
	struct store_fixture *f = *state;
	struct folder_info info;
	struct err e;

	put_mails(f->s, 1, f->inbox[1], 100);
	assert_int_equal(
	    folder_create(f->s, 1, SLICE("p/q"), USE_NONE, &info, &e), 0);
	put_mails(f->s, 1, info.id, 10);
	assert_int_equal(
	    folder_subscribe(f->s, 1, SLICE("nowhere"), true, &e), 0);
	assert_int_equal(folder_purge_account(f->s, 1), 0);
	assert_names(f, "");
	assert_int_equal(folder_purge_account(f->s, 1), 0);
	assert_int_equal(folder_find(f->s, 2, SLICE("INBOX"), &info), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_rules),
		cmocka_unit_test(order),
		FIXTURE_TEST(defaults),
		FIXTURE_TEST(create),
		FIXTURE_TEST(special_use),
		FIXTURE_TEST(deleting),
		FIXTURE_TEST(delete_large),
		FIXTURE_TEST(renaming),
		FIXTURE_TEST(rename_too_long),
		FIXTURE_TEST(rename_inbox),
		FIXTURE_TEST(subscribing),
		FIXTURE_TEST(purge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
