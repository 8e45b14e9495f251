#include "storage/usage.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/db/db_many.h"
#include "storage/tables.h"

enum {
	USAGE_FORMAT = 1,
	USAGE_FIXED = 41, /* format and five numbers */
	USAGE_MAX = USAGE_FIXED + USAGE_PACKAGE_NAME_MAX + 1 + UIDL_FORMAT_MAX,
	USAGE_KEY_MAX = 1 + USAGE_PACKAGE_NAME_MAX
};

struct row {
	struct usage_row u;
	char package[USAGE_PACKAGE_NAME_MAX];
	size_t package_n;
	char uidl[UIDL_FORMAT_MAX];
	size_t uidl_n;
};

/* What one call adds to a package. */
struct pile {
	char name[USAGE_PACKAGE_NAME_MAX];
	size_t name_n;
	int64_t bytes, messages;
	bool limited; /* an item that may not go over */
	size_t item;  /* to be named when it does not fit */
};

static struct slice
account_key(char key[USAGE_KEY_MAX], uint64_t account)
{
	key[0] = 'a';
	num_put64(key + 1, account);
	return slice_of(key, 9);
}

static bool
package_key(char key[USAGE_KEY_MAX], struct slice package, struct slice *out)
{
	if (package.n == 0 || package.n > USAGE_PACKAGE_NAME_MAX)
		return false;
	key[0] = 'p';
	memcpy(key + 1, package.p, package.n);
	*out = slice_of(key, 1 + package.n);
	return true;
}

/* package [NUL format] */
static int
tail_decode(struct slice v, struct row *row)
{
	struct slice name = slice_sub(v, 0, slice_chr(v, '\0'));
	struct slice uidl = slice_from(v, name.n < v.n ? name.n + 1 : v.n);

	if (name.n > sizeof(row->package) || uidl.n > sizeof(row->uidl))
		return ERR_CORRUPT;
	row->package_n = name.n;
	if (name.n != 0)
		memcpy(row->package, name.p, name.n);
	row->uidl_n = uidl.n;
	if (uidl.n != 0)
		memcpy(row->uidl, uidl.p, uidl.n);
	return 0;
}

static int
row_decode(const char *v, size_t n, struct row *row)
{
	if (n < USAGE_FIXED || v[0] != USAGE_FORMAT)
		return ERR_CORRUPT;
	row->u.bytes = num_get64(v + 1);
	row->u.messages = num_get64(v + 9);
	row->u.next_msgid = num_get64(v + 17);
	row->u.limits.bytes_max = num_get64(v + 25);
	row->u.limits.messages_max = num_get64(v + 33);
	return tail_decode(slice_of(v + USAGE_FIXED, n - USAGE_FIXED), row);
}

static int
row_get(struct db_txn *t, struct slice key, bool rmw, struct row *row)
{
	char v[USAGE_MAX];
	size_t n;
	int rc;

	memset(row, 0, sizeof(*row));
	rc = rmw ? db_get_rmw(t, T_USAGE, key, v, sizeof(v), &n)
		 : db_get(t, T_USAGE, key, v, sizeof(v), &n);
	return rc != 0 ? rc : row_decode(v, n, row);
}

static int
row_seek(struct db_edit *e, struct slice key, struct row *row)
{
	char v[USAGE_MAX];
	size_t n;
	int rc = db_edit_seek(e, key, v, sizeof(v), &n);

	memset(row, 0, sizeof(*row));
	return rc != 0 ? rc : row_decode(v, n, row);
}

static struct slice
row_encode(char v[USAGE_MAX], const struct row *row)
{
	size_t n = USAGE_FIXED + row->package_n;

	v[0] = USAGE_FORMAT;
	num_put64(v + 1, row->u.bytes);
	num_put64(v + 9, row->u.messages);
	num_put64(v + 17, row->u.next_msgid);
	num_put64(v + 25, row->u.limits.bytes_max);
	num_put64(v + 33, row->u.limits.messages_max);
	memcpy(v + USAGE_FIXED, row->package, row->package_n);
	if (row->uidl_n != 0) {
		v[n++] = '\0';
		memcpy(v + n, row->uidl, row->uidl_n);
		n += row->uidl_n;
	}
	return slice_of(v, n);
}

static int
row_put(struct db_txn *t, struct slice key, const struct row *row)
{
	char v[USAGE_MAX];

	return db_put(t, T_USAGE, key, row_encode(v, row));
}

static int
row_resave(struct db_edit *e, const struct row *row)
{
	char v[USAGE_MAX];

	return db_edit_put(e, row_encode(v, row));
}

int
usage_package_set(
    struct db_txn *t, struct slice package, const struct usage_limits *l)
{
	char buf[USAGE_KEY_MAX];
	struct slice key;
	struct row row;
	int rc;

	if (!package_key(buf, package, &key))
		return ERR_INVALID;
	rc = row_get(t, key, true, &row);
	if (rc != 0 && rc != ERR_NOTFOUND)
		return rc;
	row.u.limits = *l;
	return row_put(t, key, &row);
}

int
usage_package_del(struct db_txn *t, struct slice package)
{
	char buf[USAGE_KEY_MAX];
	struct slice key;

	if (!package_key(buf, package, &key))
		return ERR_NOTFOUND;
	return db_del(t, T_USAGE, key);
}

int
usage_account_set(struct db_txn *t, uint64_t account, struct slice package,
    const struct usage_limits *l, struct slice uidl)
{
	char buf[USAGE_KEY_MAX];
	struct slice key = account_key(buf, account);
	struct row row;
	int rc;

	if (package.n == 0 || package.n > USAGE_PACKAGE_NAME_MAX ||
	    uidl.n > UIDL_FORMAT_MAX)
		return ERR_INVALID;
	rc = row_get(t, key, true, &row);
	if (rc != 0 && rc != ERR_NOTFOUND)
		return rc;
	if (rc == ERR_NOTFOUND) {
		row.u.next_msgid = 1;
		row.package_n = package.n;
		memcpy(row.package, package.p, package.n);
	}
	row.uidl_n = uidl.n;
	if (uidl.n != 0)
		memcpy(row.uidl, uidl.p, uidl.n);
	row.u.limits = *l;
	return row_put(t, key, &row);
}

static bool
over(uint64_t have, int64_t more, uint64_t max)
{
	return max != 0 && more > 0 &&
	       (have >= max || (uint64_t)more > max - have);
}

static bool
fits(const struct usage_row *u, int64_t bytes, int64_t messages)
{
	return !over(u->bytes, bytes, u->limits.bytes_max) &&
	       !over(u->messages, messages, u->limits.messages_max);
}

static uint64_t
moved(uint64_t have, int64_t by)
{
	uint64_t less = (uint64_t)-by;

	if (by >= 0)
		return have + (uint64_t)by;
	if (less > have)
		log_error(NULL, "usage-negative", "have=%llu less=%llu",
		    (unsigned long long)have, (unsigned long long)less);
	return less > have ? 0 : have - less;
}

static int
charge_account(struct db_edit *e, struct usage_item *it, struct row *row)
{
	char buf[USAGE_KEY_MAX];
	int rc = row_seek(e, account_key(buf, it->account), row);

	if (rc != 0)
		return rc;
	if (!it->over_ok && !fits(&row->u, it->bytes, it->messages))
		return ERR_QUOTA;
	row->u.bytes = moved(row->u.bytes, it->bytes);
	row->u.messages = moved(row->u.messages, it->messages);
	it->first_id = row->u.next_msgid;
	it->uidl_n = (uint32_t)row->uidl_n;
	memcpy(it->uidl, row->uidl, row->uidl_n);
	row->u.next_msgid += it->take_ids;
	return row_resave(e, row);
}

static int
charge_package(struct db_edit *e, const struct pile *pile)
{
	char buf[USAGE_KEY_MAX];
	struct slice key;
	struct row row;
	int rc;

	if (!package_key(buf, slice_of(pile->name, pile->name_n), &key))
		return ERR_CORRUPT;
	if ((rc = row_seek(e, key, &row)) != 0)
		return rc == ERR_NOTFOUND ? ERR_CORRUPT : rc;
	if (pile->limited && !fits(&row.u, pile->bytes, pile->messages))
		return ERR_QUOTA;
	row.u.bytes = moved(row.u.bytes, pile->bytes);
	row.u.messages = moved(row.u.messages, pile->messages);
	return row_resave(e, &row);
}

static void
pile_add(struct pile *piles, size_t *n, const struct row *row,
    const struct usage_item *it, size_t item)
{
	struct pile *p = piles;
	struct slice name = slice_of(row->package, row->package_n);

	while (p < piles + *n && !slice_eq(slice_of(p->name, p->name_n), name))
		p++;
	if (p == piles + *n) {
		memset(p, 0, sizeof(*p));
		memcpy(p->name, row->package, row->package_n);
		p->name_n = row->package_n;
		(*n)++;
	}
	p->bytes += it->bytes;
	p->messages += it->messages;
	if (!it->over_ok) {
		p->limited = true;
		p->item = item;
	}
}

static int
pile_cmp(const void *a, const void *b)
{
	const struct pile *x = a, *y = b;

	return slice_cmp(
	    slice_of(x->name, x->name_n), slice_of(y->name, y->name_n));
}

int
usage_charge_many(
    struct db_txn *t, struct usage_item *items, size_t n, size_t *bad_out)
{
	struct pile few[4], *piles = few;
	size_t npiles = 0;
	struct db_edit *e;
	struct row row;
	int rc = db_edit_init(t, T_USAGE, DB_FAR, &e);

	*bad_out = 0;
	if (n > PH_LEN(few))
		piles = xcalloc(n, sizeof(*piles));
	for (size_t i = 0; rc == 0 && i < n; i++) {
		*bad_out = i;
		if ((rc = charge_account(e, &items[i], &row)) == 0)
			pile_add(piles, &npiles, &row, &items[i], i);
	}
	if (rc == 0 && npiles > 1)
		qsort(piles, npiles, sizeof(*piles), pile_cmp);
	for (size_t i = 0; rc == 0 && i < npiles; i++) {
		*bad_out = piles[i].item;
		rc = charge_package(e, &piles[i]);
	}
	db_edit_fini(&e);
	if (piles != few)
		free(piles);
	return rc;
}

int
usage_charge(struct db_txn *t, uint64_t account, int64_t bytes,
    int64_t messages, bool over_ok, uint32_t take_ids, uint64_t *first_id_out)
{
	struct usage_item it = { .account = account,
		.bytes = bytes,
		.messages = messages,
		.over_ok = over_ok,
		.take_ids = take_ids };
	size_t bad;
	int rc = usage_charge_many(t, &it, 1, &bad);

	if (rc == 0 && first_id_out != NULL)
		*first_id_out = it.first_id;
	return rc;
}

/* What the account still holds leaves its package too. */
int
usage_account_del(struct db_txn *t, uint64_t account)
{
	char buf[USAGE_KEY_MAX];
	struct slice key = account_key(buf, account);
	struct db_edit *e;
	struct pile pile;
	struct row row;
	int rc;

	if ((rc = db_edit_init(t, T_USAGE, DB_FAR, &e)) != 0)
		return rc;
	if ((rc = row_seek(e, key, &row)) != 0 || (rc = db_edit_del(e)) != 0)
		goto out;
	memset(&pile, 0, sizeof(pile));
	memcpy(pile.name, row.package, row.package_n);
	pile.name_n = row.package_n;
	pile.bytes = -(int64_t)row.u.bytes;
	pile.messages = -(int64_t)row.u.messages;
	if (pile.bytes != 0 || pile.messages != 0)
		rc = charge_package(e, &pile);
out:
	db_edit_fini(&e);
	return rc;
}

int
usage_account_get(struct db_txn *t, uint64_t account, struct usage_row *out)
{
	char buf[USAGE_KEY_MAX];
	struct row row;
	int rc = row_get(t, account_key(buf, account), false, &row);

	*out = row.u;
	return rc;
}

int
usage_package_get(struct db_txn *t, struct slice package, struct usage_row *out)
{
	char buf[USAGE_KEY_MAX];
	struct slice key;
	struct row row;
	int rc;

	memset(out, 0, sizeof(*out));
	if (!package_key(buf, package, &key))
		return ERR_NOTFOUND;
	rc = row_get(t, key, false, &row);
	*out = row.u;
	return rc;
}

static void
narrow(uint64_t *room, uint64_t have, uint64_t max)
{
	uint64_t left = max == 0 ? UINT64_MAX : max > have ? max - have : 0;

	if (left < *room)
		*room = left;
}

int
usage_room(struct db_txn *t, uint64_t account, uint64_t *bytes_out,
    uint64_t *messages_out)
{
	char buf[USAGE_KEY_MAX];
	struct slice key;
	struct row row;
	int rc;

	*bytes_out = *messages_out = UINT64_MAX;
	if ((rc = row_get(t, account_key(buf, account), false, &row)) != 0)
		return rc;
	narrow(bytes_out, row.u.bytes, row.u.limits.bytes_max);
	narrow(messages_out, row.u.messages, row.u.limits.messages_max);
	if (!package_key(buf, slice_of(row.package, row.package_n), &key))
		return ERR_CORRUPT;
	if ((rc = row_get(t, key, false, &row)) != 0)
		return rc == ERR_NOTFOUND ? ERR_CORRUPT : rc;
	narrow(bytes_out, row.u.bytes, row.u.limits.bytes_max);
	narrow(messages_out, row.u.messages, row.u.limits.messages_max);
	return 0;
}
