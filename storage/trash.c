#include "storage/trash.h"

#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/msg_expunge.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

enum {
	FORMAT = 1,
	KEY = 12,
	HEAD = 9,
	RANGE = 8,
	RANGES = 100, /* in a row */
	ROW_MAX = HEAD + RANGES * RANGE
};

static struct slice
make_key(char key[KEY], uint64_t folder, uint32_t first)
{
	num_put64(key, folder);
	num_put32(key + 8, first);
	return slice_of(key, KEY);
}

/* How many of uids[0..n) follow one another. */
static size_t
run_of(const uint32_t *uids, size_t n)
{
	size_t i = 1;

	while (i < n && uids[i] == uids[i - 1] + 1)
		i++;
	return i;
}

int
trash_put(struct db_txn *t, uint64_t account, uint64_t folder,
    const uint32_t *uids, size_t n)
{
	char key[KEY], v[ROW_MAX];
	int rc = 0;

	v[0] = FORMAT;
	num_put64(v + 1, account);
	while (rc == 0 && n != 0) {
		struct slice k = make_key(key, folder, uids[0]);
		size_t len = HEAD;

		while (n != 0 && len < ROW_MAX) {
			size_t run = run_of(uids, n);

			num_put32(v + len, uids[0]);
			num_put32(v + len + 4, uids[run - 1]);
			len += RANGE;
			uids += run;
			n -= run;
		}
		rc = db_put(t, T_TRASH, k, slice_of(v, len));
	}
	return rc;
}

static bool
is_sound(struct slice key, struct slice value)
{
	return key.n == KEY && value.n >= HEAD + RANGE && value.n <= ROW_MAX &&
	       (value.n - HEAD) % RANGE == 0 && value.p[0] == FORMAT;
}

/* ---- releasing ---- */

/* What one step is about. */
struct step {
	bool any, damaged;
	char key[KEY];
	uint64_t account, folder;
	struct taken taken[EXPUNGE_BATCH];
	size_t n;
	char rest[ROW_MAX]; /* of the row */
	size_t rest_n;
};

/* The row's first UIDs go to taken[], the others stay in rest. */
static void
split(struct step *st, struct slice value)
{
	st->account = num_get64(value.p + 1);
	memcpy(st->rest, value.p, HEAD);
	st->rest_n = HEAD;
	st->n = 0;
	for (size_t at = HEAD; at < value.n; at += RANGE) {
		uint32_t uid = num_get32(value.p + at);
		uint32_t last = num_get32(value.p + at + 4);

		for (; uid <= last && st->n < EXPUNGE_BATCH; uid++) {
			st->taken[st->n++].hot =
			    (struct hot_entry){ .uid = uid };
			if (uid == UINT32_MAX)
				return;
		}
		if (uid > last)
			continue;
		num_put32(st->rest + st->rest_n, uid);
		num_put32(st->rest + st->rest_n + 4, last);
		st->rest_n += RANGE;
	}
}

static int
look_txn(struct db_txn *t, void *arg)
{
	struct slice none = { NULL, 0 }, key, value;
	struct db_scan *scan = NULL;
	struct step *st = arg;
	int rc = db_scan_init(t, T_TRASH, none, none, &scan);

	st->any = st->damaged = false;
	if (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		st->any = true;
		st->damaged = !is_sound(key, value);
		if (key.n == KEY)
			memcpy(st->key, key.p, KEY);
		if (!st->damaged)
			split(st, value);
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
release_txn(struct db_txn *t, void *arg)
{
	struct step *st = arg;
	struct slice key = slice_of(st->key, KEY), value;
	char v[ROW_MAX], next[KEY];
	size_t n;
	int rc = db_get_rmw(t, T_TRASH, key, v, sizeof(v), &n);

	if (rc != 0)
		return rc == ERR_NOTFOUND ? 0 : rc; /* done by another */
	value = slice_of(v, n);
	if (!is_sound(key, value))
		return ERR_CORRUPT;
	split(st, value);
	st->folder = num_get64(st->key);
	rc = take_entries(
	    t, st->account, st->folder, TAKE_REMOVE, st->taken, st->n);
	if (rc == 0)
		rc = take_release(t, st->account, st->taken, st->n);
	if (rc == 0)
		rc = db_del(t, T_TRASH, key);
	if (rc == 0 && st->rest_n > HEAD)
		rc = db_put(t, T_TRASH,
		    make_key(next, st->folder, num_get32(st->rest + HEAD)),
		    slice_of(st->rest, st->rest_n));
	return rc;
}

int
trash_step(struct store *s, bool *more_out)
{
	struct step *st = xmalloc(sizeof(*st));
	int rc = db_read(s->db, look_txn, st);

	*more_out = false;
	if (rc == 0 && st->damaged) {
		log_error(NULL, "index-damage", "record=trash");
		rc = ERR_CORRUPT;
	}
	if (rc == 0 && st->any) {
		rc = db_update(s->db, release_txn, st);
		*more_out = rc == 0;
	}
	free(st);
	return rc;
}

/* ---- looking ---- */

int
trash_list(struct db_txn *t, struct trash_range **v_out, size_t *n_out)
{
	struct slice none = { NULL, 0 }, key, value;
	struct db_scan *scan = NULL;
	struct trash_range *v = NULL;
	size_t n = 0, cap = 0;
	int rc = db_scan_init(t, T_TRASH, none, none, &scan);

	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		if (!is_sound(key, value)) {
			rc = ERR_CORRUPT;
			break;
		}
		for (size_t at = HEAD; at < value.n; at += RANGE) {
			v = mem_grow(v, &cap, n, sizeof(*v));
			v[n++] = (struct trash_range){ num_get64(value.p + 1),
				num_get64(key.p), num_get32(value.p + at),
				num_get32(value.p + at + 4) };
		}
	}
	db_scan_fini(&scan);
	*v_out = v;
	*n_out = n;
	return rc == ERR_NOTFOUND ? 0 : rc;
}
