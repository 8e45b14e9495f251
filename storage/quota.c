#include "storage/quota.h"

#include <string.h>

#include "lib/base/num.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

enum {
	FORMAT = 1,
	KEY = 8,
	VALUE = 10,
	USAGE_KEY = 9,   /* 'a', account */
	USAGE_LEAST = 41 /* format byte and five numbers */
};

struct listing {
	uint64_t after;
	struct quota *v;
	size_t cap, n;
	/* the package of the account before, as most have the same */
	char name[USAGE_PACKAGE_NAME_MAX];
	size_t name_n;
	struct usage_row package;
};

/* A row of usage as FORMAT has it; false: not an account's. */
static bool
take_usage(
    struct slice key, struct slice value, struct quota *q, struct slice *name)
{
	struct slice tail;

	if (key.n != USAGE_KEY || key.p[0] != 'a' || value.n < USAGE_LEAST ||
	    value.p[0] != FORMAT)
		return false;
	*q = (struct quota){ .account = num_get64(key.p + 1),
		.own = { .bytes = num_get64(value.p + 1),
		    .messages = num_get64(value.p + 9),
		    .limits = {
			num_get64(value.p + 25), num_get64(value.p + 33) } } };
	tail = slice_from(value, USAGE_LEAST);
	*name = slice_sub(tail, 0, slice_chr(tail, '\0'));
	return true;
}

static int
add_package(struct db_txn *t, struct listing *l, struct slice name)
{
	struct quota *q = &l->v[l->n];
	int rc;

	if (name.n == 0 || name.n > sizeof(l->name))
		return ERR_CORRUPT;
	if (!slice_eq(name, slice_of(l->name, l->name_n))) {
		rc = usage_package_get(t, name, &l->package);
		if (rc != 0 && rc != ERR_NOTFOUND) /* it goes just now */
			return rc;
		memcpy(l->name, name.p, name.n);
		l->name_n = name.n;
	}
	q->package = l->package;
	return 0;
}

static bool
has_limit(const struct usage_row *u)
{
	return u->limits.bytes_max != 0 || u->limits.messages_max != 0;
}

/* The table warned, walked beside usage: both are in the order of accounts. */
struct told {
	struct db_scan *scan;
	uint64_t account; /* of the row ahead */
	unsigned percent;
	int end; /* ERR_NOTFOUND: no row is ahead */
};

static void
told_next(struct told *w)
{
	struct slice key, value;

	w->end = db_scan_next(w->scan, &key, &value);
	if (w->end == 0 &&
	    (key.n != KEY || value.n < VALUE || value.p[0] != FORMAT))
		w->end = ERR_CORRUPT;
	if (w->end != 0)
		return;
	w->account = num_get64(key.p);
	w->percent = (uint8_t)value.p[1];
}

static int
told_init(struct told *w, struct db_txn *t, uint64_t from)
{
	char key[KEY];
	int rc;

	*w = (struct told){ 0 };
	num_put64(key, from);
	rc = db_scan_init(t, T_WARNED, slice_of(key, sizeof(key)),
	    (struct slice){ NULL, 0 }, &w->scan);
	if (rc == 0)
		told_next(w);
	return rc;
}

static unsigned
told_of(struct told *w, uint64_t account)
{
	while (w->end == 0 && w->account < account)
		told_next(w);
	return w->end == 0 && w->account == account ? w->percent : 0;
}

static int
list_txn(struct db_txn *t, void *arg)
{
	struct listing *l = arg;
	char from[USAGE_KEY], to[1] = { 'b' };
	struct db_scan *scan = NULL;
	struct slice key, value, name;
	struct told told;
	struct quota *q;
	int rc;

	l->n = l->name_n = 0;
	from[0] = 'a';
	num_put64(from + 1, l->after + 1);
	if ((rc = told_init(&told, t, l->after + 1)) == 0)
		rc = db_scan_init(t, T_USAGE, slice_of(from, sizeof(from)),
		    slice_of(to, sizeof(to)), &scan);
	while (rc == 0 && l->n < l->cap &&
	       (rc = db_scan_next(scan, &key, &value)) == 0) {
		q = &l->v[l->n];
		if (!take_usage(key, value, q, &name))
			continue;
		if ((rc = add_package(t, l, name)) != 0)
			break;
		q->warned = told_of(&told, q->account);
		l->n += has_limit(&q->own) || has_limit(&q->package) ||
			q->warned != 0;
	}
	if ((rc == 0 || rc == ERR_NOTFOUND) && told.end == ERR_CORRUPT)
		rc = ERR_CORRUPT;
	db_scan_fini(&told.scan);
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
quota_list(
    struct store *s, uint64_t after, struct quota *v, size_t cap, size_t *n_out)
{
	struct listing l = { .after = after, .v = v, .cap = cap };
	int rc = db_walk(s->db, list_txn, &l);

	*n_out = rc == 0 ? l.n : 0;
	return rc;
}

static unsigned
percent(uint64_t have, uint64_t max)
{
	uint64_t p;

	if (max == 0)
		return 0;
	p = max >= 100 ? have / (max / 100) : have * 100 / max;
	return p < 999 ? (unsigned)p : 999;
}

static unsigned
percent_of(const struct usage_row *u)
{
	unsigned bytes = percent(u->bytes, u->limits.bytes_max);
	unsigned messages = percent(u->messages, u->limits.messages_max);

	return bytes > messages ? bytes : messages;
}

bool
quota_is_package(const struct quota *q)
{
	return percent_of(&q->package) > percent_of(&q->own);
}

unsigned
quota_percent(const struct quota *q)
{
	return percent_of(quota_is_package(q) ? &q->package : &q->own);
}

struct telling {
	uint64_t account;
	unsigned percent;
	int64_t now;
};

static int
warned_txn(struct db_txn *t, void *arg)
{
	const struct telling *w = arg;
	char key[KEY], value[VALUE];
	int rc;

	num_put64(key, w->account);
	if (w->percent == 0) {
		rc = db_del(t, T_WARNED, slice_of(key, sizeof(key)));
		return rc == ERR_NOTFOUND ? 0 : rc;
	}
	value[0] = FORMAT;
	value[1] = (char)w->percent;
	num_put64(value + 2, (uint64_t)w->now);
	return db_put(t, T_WARNED, slice_of(key, sizeof(key)),
	    slice_of(value, sizeof(value)));
}

int
quota_set_warned(
    struct store *s, uint64_t account, unsigned percent_told, int64_t now)
{
	struct telling w = { account, percent_told, now };

	return db_update(s->db, warned_txn, &w);
}
