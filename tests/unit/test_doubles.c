/*
 * Folders that are one thing under two names.
 */
#include "tests/unit/store_fixture.h"

#include "storage/doubles.h"
#include "tests/unit/store_mail.h"

static uint64_t
make(struct store_fixture *f, const char *name, unsigned mails)
{
	struct folder_info info;
	struct err e;

	assert_int_equal(
	    folder_create(f->s, 1, slice_str(name), USE_NONE, &info, &e), 0);
	put_mails(f->s, 1, info.id, mails);
	return info.id;
}

static uint32_t
messages(struct store_fixture *f, const char *name)
{
	struct folder_info info;

	assert_int_equal(folder_find(f->s, 1, slice_str(name), &info), 0);
	return info.status.messages;
}

static size_t
find(struct store_fixture *f, struct arena *a, struct double_folder **v)
{
	size_t n;

	assert_int_equal(doubles_find(f->s, 1, a, v, &n), 0);
	return n;
}

static void
merging(void **state)
{
	struct store_fixture *f = *state;
	struct double_folder *v;
	struct folder_info info;
	struct arena a;

	arena_init(&a);
	assert_int_equal(find(f, &a, &v), 0);
	(void)make(f, "Gesendet", 30);
	(void)make(f, "INBOX/Gesendete Objekte", 3);
	(void)make(f, "Kunden/Sent", 1);
	(void)make(f, "Gesendet/2019/Mai", 2);
	put_mails(f->s, 1, f->inbox[1], 1);
	assert_int_equal(find(f, &a, &v), 2);
	for (int i = 0; i < 2; i++) {
		assert_slice(v[i].into, "Sent");
		assert_int_equal(v[i].use, USE_SENT);
		assert_false(v[i].shared);
		assert_int_equal(doubles_merge(f->s, 1, &v[i]), 0);
	}
	assert_int_equal(messages(f, "Sent"), 33);
	assert_int_equal(messages(f, "Sent/2019/Mai"), 2);
	assert_int_equal(messages(f, "INBOX"), 1);
	assert_int_equal(messages(f, "Kunden/Sent"), 1);
	assert_int_equal(
	    folder_find(f->s, 1, SLICE("Gesendet"), &info), ERR_NOTFOUND);
	assert_int_equal(find(f, &a, &v), 0);
	arena_clear(&a);
}

/* What comes between the look and the merge is moved too; a folder that went
 * meanwhile is no loss. */
static void
late(void **state)
{
	struct store_fixture *f = *state;
	struct double_folder *v;
	struct arena a;
	struct err e;
	uint64_t id;

	arena_init(&a);
	id = make(f, "Papierkorb", 1);
	assert_int_equal(find(f, &a, &v), 1);
	put_mails(f->s, 1, id, 7);
	assert_int_equal(doubles_merge(f->s, 1, &v[0]), 0);
	assert_int_equal(messages(f, "Trash"), 8);
	assert_int_equal(doubles_merge(f->s, 1, &v[0]), ERR_NOTFOUND);
	(void)make(f, "Spam", 2);
	assert_int_equal(find(f, &a, &v), 1);
	assert_int_equal(folder_delete(f->s, 1, SLICE("Junk"), &e), 0);
	assert_int_not_equal(doubles_merge(f->s, 1, &v[0]), 0);
	assert_int_equal(messages(f, "Spam"), 2);
	arena_clear(&a);
}

static void
delete_empty(void **state)
{
	struct store_fixture *f = *state;
	struct err e;

	(void)make(f, "p/c", 1);
	assert_int_equal(
	    folder_delete_empty(f->s, 1, SLICE("p"), &e), ERR_CONFLICT);
	assert_int_equal(
	    folder_delete_empty(f->s, 1, SLICE("p/c"), &e), ERR_CONFLICT);
	assert_int_equal(messages(f, "p/c"), 1);
	(void)make(f, "q", 0);
	assert_int_equal(folder_delete_empty(f->s, 1, SLICE("q"), &e), 0);
	assert_int_equal(
	    folder_delete_empty(f->s, 1, SLICE("q"), &e), ERR_NOTFOUND);
	assert_int_equal(
	    folder_delete_empty(f->s, 1, SLICE("INBOX"), &e), ERR_DENIED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(merging),
		FIXTURE_TEST(late),
		FIXTURE_TEST(delete_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
