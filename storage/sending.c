#include "storage/sending.h"

#include <string.h>

#include "lib/base/num.h"
#include "lib/crypt/crypt.h"
#include "storage/names.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

enum {
	FORMAT = 1,
	PARTS = 6, /* of an hour */
	PART_SEC = 600,
	QUARTERS = 4, /* of a day */
	QUARTER_SEC = 6 * 3600,
	DAY_SEC = 86400,
	KEEP_DAYS = 90,
	ROW = 1 + 4 + PARTS * 8 + 4 + QUARTERS * 4 + 4,
	KEY_MAX = 1 + NAMES_DOMAIN_MAX,
	KNOWN_KEY = 16, /* u64 account, u64 of the address's hash */
	KNOWN_ROW = 5
};

/* part and quarter: of the newest number, which stands first. */
struct row {
	uint32_t part, messages[PARTS], rcpts[PARTS];
	uint32_t quarter, fresh[QUARTERS];
	uint32_t told; /* part + 1 in which somebody was told last */
};

static struct slice
key_of(char key[KEY_MAX], char kind, struct slice name)
{
	ph_assert(name.n <= NAMES_DOMAIN_MAX);
	key[0] = kind;
	if (name.n != 0)
		memcpy(key + 1, name.p, name.n);
	return slice_of(key, 1 + name.n);
}

static void
shift(uint32_t *v, size_t n, uint32_t by)
{
	for (size_t i = n; i-- > 0;)
		v[i] = i >= by ? v[i - by] : 0;
}

/* Up to now.  A clock that was set back counts into the newest part. */
static void
turn(struct row *r, int64_t now)
{
	uint32_t part = (uint32_t)(now / PART_SEC);
	uint32_t quarter = (uint32_t)(now / QUARTER_SEC);

	if (part > r->part) {
		shift(r->messages, PARTS, part - r->part);
		shift(r->rcpts, PARTS, part - r->part);
		r->part = part;
	}
	if (quarter > r->quarter) {
		shift(r->fresh, QUARTERS, quarter - r->quarter);
		r->quarter = quarter;
	}
}

static int
decode(const char *v, size_t n, struct row *r)
{
	const char *p = v + 1;

	if (n != ROW || v[0] != FORMAT)
		return ERR_CORRUPT;
	r->part = num_get32(p);
	for (size_t i = 0; i < PARTS; i++) {
		r->messages[i] = num_get32(p + 4 + i * 8);
		r->rcpts[i] = num_get32(p + 8 + i * 8);
	}
	p += 4 + PARTS * 8;
	r->quarter = num_get32(p);
	for (size_t i = 0; i < QUARTERS; i++)
		r->fresh[i] = num_get32(p + 4 + i * 4);
	r->told = num_get32(p + 4 + QUARTERS * 4);
	return 0;
}

static int
load(struct db_txn *t, struct slice key, bool rmw, int64_t now, struct row *r)
{
	char v[ROW];
	size_t n;
	int rc;

	*r = (struct row){ 0 };
	rc = rmw ? db_get_rmw(t, T_SENDING, key, v, sizeof(v), &n)
		 : db_get(t, T_SENDING, key, v, sizeof(v), &n);
	if (rc == 0)
		rc = decode(v, n, r);
	turn(r, now);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
save(struct db_txn *t, struct slice key, const struct row *r)
{
	char v[ROW], *p = v + 1;

	v[0] = FORMAT;
	num_put32(p, r->part);
	for (size_t i = 0; i < PARTS; i++) {
		num_put32(p + 4 + i * 8, r->messages[i]);
		num_put32(p + 8 + i * 8, r->rcpts[i]);
	}
	p += 4 + PARTS * 8;
	num_put32(p, r->quarter);
	for (size_t i = 0; i < QUARTERS; i++)
		num_put32(p + 4 + i * 4, r->fresh[i]);
	num_put32(p + 4 + QUARTERS * 4, r->told);
	return db_put(t, T_SENDING, key, slice_of(v, ROW));
}

static uint64_t
sum(const uint32_t *v, size_t n)
{
	uint64_t all = 0;

	for (size_t i = 0; i < n; i++)
		all += v[i];
	return all;
}

/* When so many more fit under the limit: the oldest parts end first. */
static int64_t
frees_at(const uint32_t *v, size_t n, uint32_t newest, int64_t part_sec,
    uint64_t more, uint64_t limit)
{
	uint64_t left = sum(v, n);

	if (more > limit)
		return 0;
	for (size_t i = n; i-- > 0;) {
		left -= v[i];
		if (left + more <= limit)
			return ((int64_t)newest + (int64_t)(n - i)) * part_sec;
	}
	return 0;
}

static bool
is_over(uint64_t have, uint64_t more, uint64_t limit)
{
	return limit != 0 && limit != POLICY_NO_LIMIT && have + more > limit;
}

static int
check_level(struct sending *s, const struct sending_level *l,
    const struct row *r, uint64_t fresh)
{
	const struct {
		const uint32_t *v;
		size_t n;
		uint32_t newest;
		int64_t part_sec;
		uint64_t more, limit;
	} checks[] = {
		[SENDING_MESSAGES] = { r->messages, PARTS, r->part, PART_SEC, 1,
		    l->limits.messages_hour },
		[SENDING_RECIPIENTS] = { r->rcpts, PARTS, r->part, PART_SEC,
		    s->nrcpts, l->limits.recipients_hour },
		[SENDING_NEW] = { r->fresh, QUARTERS, r->quarter, QUARTER_SEC,
		    fresh, l->limits.new_day },
	};

	for (size_t i = 0; i < PH_LEN(checks); i++) {
		uint64_t have = sum(checks[i].v, checks[i].n);

		if (!is_over(have, checks[i].more, checks[i].limit))
			continue;
		s->hit = l;
		s->what = (enum sending_what)i;
		s->count = have;
		s->limit = checks[i].limit;
		s->free_at =
		    frees_at(checks[i].v, checks[i].n, checks[i].newest,
			checks[i].part_sec, checks[i].more, checks[i].limit);
		return ERR_LIMIT;
	}
	return 0;
}

static bool
limits_new(const struct sending *s)
{
	for (size_t i = 0; i < s->nlevels; i++)
		if (s->levels[i].limits.new_day != 0 &&
		    s->levels[i].limits.new_day != POLICY_NO_LIMIT)
			return true;
	return false;
}

static bool
is_set(uint64_t limit)
{
	return limit != 0 && limit != POLICY_NO_LIMIT;
}

bool
sending_is_limited(const struct sending *s)
{
	for (size_t i = 0; i < s->nlevels; i++) {
		const struct policy_limits *l = &s->levels[i].limits;

		if (is_set(l->messages_hour) || is_set(l->recipients_hour) ||
		    is_set(l->new_day))
			return true;
	}
	return false;
}

static void
known_key(char key[KNOWN_KEY], uint64_t account, struct slice addr)
{
	uint8_t hash[SHA256_LEN];

	crypt_sha256(addr, hash);
	num_put64(key, account);
	memcpy(key + 8, hash, 8);
}

/* Marks every recipient as written to today; *fresh_out: how many for the
 * first time in a long while.  A row is written once a day. */
static int
meet(struct db_txn *t, const struct sending *s, uint64_t *fresh_out)
{
	uint32_t today = (uint32_t)(s->now / DAY_SEC);
	char key[KNOWN_KEY], v[KNOWN_ROW];
	size_t n;
	int rc;

	*fresh_out = 0;
	for (size_t i = 0; limits_new(s) && i < s->nrcpts; i++) {
		known_key(key, s->account, s->rcpts[i]);
		rc = db_get_rmw(
		    t, T_KNOWN, slice_of(key, sizeof(key)), v, sizeof(v), &n);
		if (rc == 0 && (n != KNOWN_ROW || v[0] != FORMAT))
			rc = ERR_CORRUPT;
		if (rc != 0 && rc != ERR_NOTFOUND)
			return rc;
		if (rc == ERR_NOTFOUND || num_get32(v + 1) + KEEP_DAYS < today)
			++*fresh_out;
		else if (num_get32(v + 1) == today)
			continue;
		v[0] = FORMAT;
		num_put32(v + 1, today);
		rc = db_put(t, T_KNOWN, slice_of(key, sizeof(key)),
		    slice_of(v, sizeof(v)));
		if (rc != 0)
			return rc;
	}
	return 0;
}

int
sending_count_txn(struct db_txn *t, struct sending *s)
{
	struct row rows[PH_LEN(s->levels)];
	char key[KEY_MAX];
	uint64_t fresh;
	int rc;

	if ((rc = meet(t, s, &fresh)) != 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < s->nlevels; i++) {
		const struct sending_level *l = &s->levels[i];

		rc = load(
		    t, key_of(key, l->kind, l->name), true, s->now, &rows[i]);
		if (rc == 0)
			rc = check_level(s, l, &rows[i], fresh);
	}
	for (size_t i = 0; rc == 0 && i < s->nlevels; i++) {
		const struct sending_level *l = &s->levels[i];

		rows[i].messages[0]++;
		rows[i].rcpts[0] += (uint32_t)s->nrcpts;
		rows[i].fresh[0] += (uint32_t)fresh;
		rc = save(t, key_of(key, l->kind, l->name), &rows[i]);
	}
	return rc;
}

struct tell {
	const struct sending *s;
	bool first;
};

static int
tell(struct db_txn *t, void *arg)
{
	struct tell *w = arg;
	char buf[KEY_MAX];
	struct slice key = key_of(buf, w->s->hit->kind, w->s->hit->name);
	uint32_t parts = w->s->what == SENDING_NEW
			     ? QUARTERS * QUARTER_SEC / PART_SEC
			     : PARTS;
	struct row r;
	int rc = load(t, key, true, w->s->now, &r);

	w->first = r.told == 0 || r.told - 1 + parts <= r.part;
	if (rc != 0 || !w->first)
		return rc;
	r.told = r.part + 1;
	return save(t, key, &r);
}

int
sending_tell(struct store *s, const struct sending *what, bool *first_out)
{
	struct tell w = { .s = what };
	int rc = db_update(s->db, tell, &w);

	*first_out = rc == 0 && w.first;
	return rc;
}

struct use {
	char key[KEY_MAX];
	size_t key_n;
	int64_t now;
	struct row row;
};

static int
use(struct db_txn *t, void *arg)
{
	struct use *u = arg;

	return load(t, slice_of(u->key, u->key_n), false, u->now, &u->row);
}

int
sending_use(struct store *s, char kind, struct slice name, int64_t now,
    struct sending_use *out)
{
	struct use u = { .now = now };
	int rc;

	u.key_n = key_of(u.key, kind, name).n;
	rc = db_read(s->db, use, &u);
	out->messages_hour = sum(u.row.messages, PARTS);
	out->recipients_hour = sum(u.row.rcpts, PARTS);
	out->new_day = sum(u.row.fresh, QUARTERS);
	return rc;
}

enum { SWEEP_MAX = 500 };

struct sweep {
	uint64_t at, next;
	uint32_t before; /* day */
	size_t most, n;
	char keys[SWEEP_MAX][KNOWN_KEY];
};

static int
look(struct db_txn *t, void *arg)
{
	struct sweep *w = arg;
	struct db_scan *scan = NULL;
	struct slice key, value;
	char from[8];
	size_t seen = 0;
	int rc;

	w->n = 0;
	w->next = 0;
	num_put64(from, w->at);
	rc = db_scan_init(
	    t, T_KNOWN, slice_of(from, sizeof(from)), slice_of(NULL, 0), &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		uint64_t account;

		if (key.n != KNOWN_KEY || value.n != KNOWN_ROW) {
			rc = ERR_CORRUPT;
			break;
		}
		account = num_get64(key.p);
		/* An account's rows are looked at together. */
		if (w->n == SWEEP_MAX ||
		    (++seen > w->most && account != w->at)) {
			w->next = account;
			break;
		}
		w->at = account;
		if (num_get32(value.p + 1) < w->before)
			memcpy(w->keys[w->n++], key.p, KNOWN_KEY);
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
drop(struct db_txn *t, void *arg)
{
	const struct sweep *w = arg;

	return db_del_keys(t, T_KNOWN, w->keys, KNOWN_KEY, w->n);
}

int
sending_sweep(struct store *s, int64_t now, size_t most, uint64_t *at)
{
	struct sweep w = { .at = *at,
		.most = most,
		.before = (uint32_t)(now / DAY_SEC) - KEEP_DAYS };
	int rc = db_walk(s->db, look, &w);

	if (rc == 0 && w.n != 0)
		rc = db_update(s->db, drop, &w);
	if (rc == 0)
		*at = w.next;
	return rc;
}

int
sending_drop(struct db_txn *t, char kind, struct slice name)
{
	char key[KEY_MAX];
	int rc = db_del(t, T_SENDING, key_of(key, kind, name));

	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* The rows of the account w->at. */
static int
look_account(struct db_txn *t, void *arg)
{
	struct sweep *w = arg;
	struct db_scan *scan = NULL;
	struct slice key, value;
	char from[8], to[8];
	int rc;

	w->n = 0;
	num_put64(from, w->at);
	num_put64(to, w->at + 1);
	rc = db_scan_init(t, T_KNOWN, slice_of(from, sizeof(from)),
	    slice_of(to, sizeof(to)), &scan);
	while (rc == 0 && w->n < SWEEP_MAX &&
	       (rc = db_scan_next(scan, &key, &value)) == 0) {
		if (key.n != KNOWN_KEY)
			rc = ERR_CORRUPT;
		else
			memcpy(w->keys[w->n++], key.p, KNOWN_KEY);
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
sending_purge(struct store *s, uint64_t account)
{
	struct sweep w = { .at = account };
	int rc;

	do {
		rc = db_read(s->db, look_account, &w);
		if (rc == 0 && w.n != 0)
			rc = db_update(s->db, drop, &w);
	} while (rc == 0 && w.n == SWEEP_MAX);
	return rc;
}
