/*
 * Images: what two of them share, what a refresh reads, how they compare.
 */
#include "tests/unit/store_fixture.h"

#include "storage/image.h"
#include "storage/image_build.h"
#include "storage/image_diff.h"
#include "storage/msg.h"
#include "tests/unit/store_mail.h"

/* An image of the UIDs for which `in` is true; modseq is bump for those of
 * `changed`. */
static struct image *
image_of(
    const bool *in, uint32_t max, const struct image *old, uint32_t changed)
{
	struct image_build b;
	struct hot_run r = { 0 };
	struct run *was;

	image_build_init(&b, old);
	for (uint32_t uid = 0; uid <= max; uid++) {
		if (uid > 0 && uid < max && in[uid]) {
			struct hot_entry e = { .uid = uid,
				.modseq = uid == changed ? 9 : 1 };

			hot_set(r.bytes, r.n++, &e);
		}
		if (uid % HOT_RUN != HOT_RUN - 1 && uid != max)
			continue;
		was = image_old_run(&b, hot_run_of(uid));
		if (r.n > 0 && was != NULL && was->n == r.n &&
		    memcmp(was->bytes, r.bytes, r.n * HOT_ENTRY) == 0)
			image_build_run(&b, run_ref(was));
		else if (r.n > 0)
			image_build_run(
			    &b, run_new(hot_run_of(uid), r.bytes, r.n));
		r.n = 0;
	}
	return image_build_done(&b);
}

enum { MAX = 9000 };

static void
compare(void **state)
{
	bool *a = calloc(MAX, 1), *b = calloc(MAX, 1);
	unsigned seed = 1;

	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		struct image *x, *y, *z;
		struct image_diff d;
		uint32_t na = 0, nb = 0, changed = 0, seq = 0, gone = 0;

		for (uint32_t u = 1; u < MAX; u++) {
			seed = seed * 1103515245 + 12345;
			a[u] = u < MAX / 2 + 100 * round / 3 &&
			       seed >> 16 & (round % 7 + 1);
			b[u] = a[u] && (seed >> 20) % (1 + round * 5) != 1;
			if (u > MAX - round * 10)
				b[u] = true;
			na += a[u];
			nb += b[u];
			if (a[u] && b[u] && changed == 0 && u > 10 * round)
				changed = u;
		}
		x = image_of(a, MAX, NULL, 0);
		y = image_of(b, MAX, x, changed);
		assert_int_equal(x->n, na);
		assert_int_equal(y->n, nb);
		image_diff(x, y, &d);
		for (uint32_t u = 1; u < MAX; u++) {
			seq += a[u];
			assert_int_equal(image_find(x, u), a[u] ? seq : 0);
			if (!a[u] || b[u])
				continue;
			assert_true(gone < d.ngone);
			assert_int_equal(d.gone[gone].uid, u);
			assert_int_equal(d.gone[gone++].seq, seq);
		}
		assert_int_equal(d.ngone, gone);
		assert_int_equal(d.nfresh, nb + gone - na);
		assert_int_equal(d.nchanged, changed != 0);
		if (changed != 0) {
			assert_int_equal(d.changed[0].uid, changed);
			assert_int_equal(
			    d.changed[0].seq, image_find(y, changed));
		}
		/* kept: the union, and nothing is gone from it */
		z = image_keep(x, y);
		assert_int_equal(z->n, nb + gone);
		image_diff_fini(&d);
		image_diff(x, z, &d);
		assert_int_equal(d.ngone, 0);
		image_diff_fini(&d);
		image_diff(z, y, &d);
		assert_int_equal(d.ngone, gone);
		assert_int_equal(d.nfresh, 0);
		assert_int_equal(d.nchanged, 0);
		image_diff_fini(&d);
		image_unref(&x);
		image_unref(&z);
		image_unref(&y);
	}
	free(a);
	free(b);
}

static void
sharing(void **state)
{
	bool *in = calloc(MAX, 1);
	struct image *x, *y;
	uint32_t same = 0;

	(void)state;
	memset(in, 1, MAX);
	x = image_of(in, MAX, NULL, 0);
	y = image_of(in, MAX, x, 5000);
	assert_int_equal(x->nleaves, y->nleaves);
	for (uint32_t i = 0; i < x->nleaves; i++)
		same += x->leaf[i] == y->leaf[i];
	assert_int_equal(same, x->nleaves - 1);
	image_unref(&x);
	assert_int_equal(image_find(y, 5000), 5000);
	image_unref(&y);
	free(in);
}

static uint32_t recent; /* of image_get(), looked at by nobody */

/* A refresh by known runs and one by a full scan give the same. */
static void
refreshing(void **state)
{
	struct store_fixture *f = *state;
	struct image_slot *slot = image_slot_get(f->s, f->inbox[1]);
	struct image *x, *y, *z;
	struct image_diff d;
	uint32_t uid = 3000;
	uint32_t same = 0;

	put_mails(f->s, 1, f->inbox[1], 6000);
	assert_int_equal(image_get(f->s, slot, &x, &recent), 0);
	assert_int_equal(x->n, 6000);
	assert_int_equal(image_get(f->s, slot, &y, &recent), 0);
	assert_true(x == y);
	image_unref(&y);
	assert_int_equal(
	    msg_expunge(f->s, 1, f->inbox[1], &uid, 1, false, NULL), 0);
	put_mails(f->s, 1, f->inbox[1], 2);
	assert_int_equal(image_slot_heard(slot), x->modseq + 3);
	assert_int_equal(image_get(f->s, slot, &y, &recent), 0);
	assert_int_equal(y->n, 6001);
	for (uint32_t i = 0; i < x->nleaves; i++)
		same += x->leaf[i] == y->leaf[i];
	assert_int_equal(same, x->nleaves - 2);
	image_diff(x, y, &d);
	assert_int_equal(d.ngone, 1);
	assert_int_equal(d.nfresh, 2);
	image_diff_fini(&d);
	/* the same from nothing */
	{
		struct image_slot *other;

		image_unref(&x);
		image_slot_put(f->s, &slot);
		images_free(&f->s->images);
		f->s->images = images_new(f->s);
		other = image_slot_get(f->s, f->inbox[1]);
		assert_int_equal(image_get(f->s, other, &z, &recent), 0);
		image_diff(y, z, &d);
		assert_int_equal(d.ngone + d.nfresh + d.nchanged, 0);
		image_diff_fini(&d);
		image_slot_put(f->s, &other);
	}
	image_unref(&y);
	image_unref(&z);
}

/* Events that come late, twice, or not at all. */
static void
hearsay(void **state)
{
	struct store_fixture *f = *state;
	struct image_slot *slot = image_slot_get(f->s, f->inbox[1]);
	struct notify_event ev = { .kind = NOTIFY_FOLDER,
		.folder = f->inbox[1] };
	struct image *x;

	put_mails(f->s, 1, f->inbox[1], 100);
	for (unsigned i = 0; i < 300; i++) {
		ev.modseq_from = i % 40;
		ev.modseq_to = ev.modseq_from + i % 3;
		ev.nruns = i % 5 == 0 ? 0 : 1;
		ev.runs[0] = i * 7;
		images_stale(f->s, &ev);
		if (i % 11 == 0)
			put_mails(f->s, 1, f->inbox[1], 1);
		if (i % 7 != 0)
			continue;
		assert_int_equal(image_get(f->s, slot, &x, &recent), 0);
		assert_int_equal(x->n, 100 + i / 11 + 1);
		image_unref(&x);
	}
	/* a false alarm from the future costs a look, no more */
	ev.modseq_from = 100000;
	ev.modseq_to = 100001;
	images_stale(f->s, &ev);
	assert_int_equal(image_slot_heard(slot), 100001);
	assert_int_equal(image_get(f->s, slot, &x, &recent), 0);
	image_unref(&x);
	image_slot_put(f->s, &slot);
	slot = image_slot_get(f->s, 4711);
	assert_int_equal(image_get(f->s, slot, &x, &recent), ERR_NOTFOUND);
	assert_null(x);
	image_slot_put(f->s, &slot);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compare),
		cmocka_unit_test(sharing),
		FIXTURE_TEST(refreshing),
		FIXTURE_TEST(hearsay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
