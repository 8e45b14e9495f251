#include "storage/event.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/num.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

enum {
	FORMAT = 1,
	KEY = 18, /* u64 account, u64 time (ms), u16 count */
	TEXT_MAX = 400,
	VALUE_MAX = 2 + TEXT_MAX,
	BATCH = 200, /* keys removed in one transaction */
	VISITS = 500 /* accounts looked at in one walk */
};

static struct slice
key_of(char key[KEY], uint64_t account, uint64_t at_ms, uint16_t count)
{
	num_put64(key, account);
	num_put64(key + 8, at_ms);
	num_put16(key + 16, count);
	return slice_of(key, KEY);
}

struct add {
	uint64_t account, at_ms;
	struct slice value;
};

static int
add(struct db_txn *t, void *arg)
{
	const struct add *ad = arg;
	char key[KEY], last[KEY], value[VALUE_MAX];
	size_t key_n, value_n;
	uint16_t count = 0;
	int rc;

	rc = db_insert(
	    t, T_EVENT, key_of(key, ad->account, ad->at_ms, 0), ad->value);
	if (rc != ERR_EXISTS)
		return rc;
	/* Another in the same millisecond: behind the last of them. */
	rc = db_last(t, T_EVENT, slice_of(key, 16), slice_of(NULL, 0), last,
	    sizeof(last), &key_n, value, sizeof(value), &value_n);
	if (rc != 0)
		return rc;
	if (key_n != KEY || (count = num_get16(last + 16)) == UINT16_MAX)
		return ERR_LIMIT;
	return db_put(t, T_EVENT,
	    key_of(key, ad->account, ad->at_ms, (uint16_t)(count + 1)),
	    ad->value);
}

int
event_add(
    struct store *s, uint64_t account, enum event_kind kind, struct slice text)
{
	char value[VALUE_MAX];
	struct add ad = { .account = account,
		.at_ms = (uint64_t)clock_wall_ms() };

	text = slice_sub(text, 0, TEXT_MAX);
	value[0] = FORMAT;
	value[1] = (char)kind;
	if (text.n != 0)
		memcpy(value + 2, text.p, text.n);
	ad.value = slice_of(value, 2 + text.n);
	return db_update(s->db, add, &ad);
}

struct list {
	uint64_t account;
	struct arena *a;
	struct event *v;
	size_t cap, n;
};

static int
decode(struct slice key, struct slice value, struct arena *a, struct event *out)
{
	if (key.n != KEY || value.n < 2 || value.p[0] != FORMAT)
		return ERR_CORRUPT;
	out->kind = (enum event_kind)value.p[1];
	out->at_ms = (int64_t)num_get64(key.p + 8);
	out->text = arena_copy(a, slice_from(value, 2));
	return 0;
}

static int
list(struct db_txn *t, void *arg)
{
	struct list *l = arg;
	char prefix[8], key[KEY], value[VALUE_MAX];
	struct slice before = slice_of(NULL, 0);
	size_t key_n, value_n;
	int rc = 0;

	num_put64(prefix, l->account);
	while (rc == 0 && l->n < l->cap) {
		rc = db_last(t, T_EVENT, slice_of(prefix, sizeof(prefix)),
		    before, key, sizeof(key), &key_n, value, sizeof(value),
		    &value_n);
		if (rc != 0)
			break;
		rc = decode(slice_of(key, key_n), slice_of(value, value_n),
		    l->a, &l->v[l->n]);
		if (rc == 0)
			l->n++;
		before = slice_of(key, key_n);
	}
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
event_list(struct store *s, uint64_t account, struct arena *a, struct event *v,
    size_t cap, size_t *n_out)
{
	struct list l = { account, a, v, cap, 0 };
	int rc = db_read(s->db, list, &l);

	*n_out = l.n;
	return rc;
}

/* Keys to remove, collected in a walk. */
struct old {
	char keys[BATCH][KEY];
	size_t n, most;
	uint64_t account; /* go on here */
	uint64_t before_ms;
	bool end; /* no account is left */
};

/* The old events of one account, from its first; the next account's id. */
static int
collect_one(struct db_txn *t, struct old *o)
{
	char from[KEY];
	struct db_scan *scan = NULL;
	struct slice key, value;
	uint64_t account;
	bool began = false;
	int rc;

	rc = db_scan_init(t, T_EVENT, key_of(from, o->account, 0, 0),
	    slice_of(NULL, 0), &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		if (key.n != KEY) {
			rc = ERR_CORRUPT;
			break;
		}
		account = num_get64(key.p);
		if (began && account != o->account) {
			o->account = account;
			break;
		}
		began = true;
		o->account = account;
		if (o->n == o->most)
			break;
		if (num_get64(key.p + 8) >= o->before_ms) {
			o->account++; /* the rest of it is young */
			break;
		}
		memcpy(o->keys[o->n++], key.p, KEY);
	}
	db_scan_fini(&scan);
	if (rc == ERR_NOTFOUND)
		o->end = true;
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
collect(struct db_txn *t, void *arg)
{
	struct old *o = arg;
	int rc = 0;

	for (int i = 0; i < VISITS; i++) {
		rc = collect_one(t, o);
		if (rc != 0 || o->end || o->n == o->most)
			break;
	}
	return rc;
}

static int
remove_keys(struct db_txn *t, void *arg)
{
	struct old *o = arg;

	return db_del_keys(t, T_EVENT, o->keys, KEY, o->n);
}

int
event_sweep(struct store *s, int64_t before_ms, size_t most, size_t *gone_out)
{
	struct old o = { .before_ms = before_ms > 0 ? (uint64_t)before_ms : 0 };
	int rc = 0;

	*gone_out = 0;
	while (rc == 0 && !o.end && *gone_out < most) {
		o.n = 0;
		o.most = most - *gone_out < BATCH ? most - *gone_out : BATCH;
		if ((rc = db_walk(s->db, collect, &o)) != 0)
			break;
		if (o.n != 0)
			rc = db_update(s->db, remove_keys, &o);
		if (rc == 0)
			*gone_out += o.n;
	}
	return rc;
}

struct purge {
	struct old o;
	uint64_t account;
};

static int
collect_all(struct db_txn *t, void *arg)
{
	struct purge *p = arg;
	char from[8], to[8];
	struct db_scan *scan = NULL;
	struct slice key, value;
	int rc;

	num_put64(from, p->account);
	num_put64(to, p->account + 1);
	rc = db_scan_init(t, T_EVENT, slice_of(from, sizeof(from)),
	    slice_of(to, sizeof(to)), &scan);
	while (rc == 0 && p->o.n < BATCH &&
	       (rc = db_scan_next(scan, &key, &value)) == 0) {
		if (key.n == KEY)
			memcpy(p->o.keys[p->o.n++], key.p, KEY);
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
event_purge(struct store *s, uint64_t account)
{
	struct purge p = { .account = account };
	int rc;

	do {
		p.o.n = 0;
		rc = db_read(s->db, collect_all, &p);
		if (rc == 0 && p.o.n != 0)
			rc = db_update(s->db, remove_keys, &p.o);
	} while (rc == 0 && p.o.n != 0);
	return rc;
}
