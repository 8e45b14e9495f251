#include "storage/metadata_row.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/tables.h"

enum {
	FORMAT = 1,
	BASE_MAX = 16 + METADATA_NAME_MAX + 1,
	TOTAL = 9 /* bytes of a row that counts */
};

/* No folder has this id: the rows that count bytes. */
static const uint64_t totals = UINT64_MAX;

/* u64 folder, u64 account, name, NUL */
static struct slice
base(char to[BASE_MAX], uint64_t folder, uint64_t account, struct slice name)
{
	ph_assert(name.n <= METADATA_NAME_MAX);
	num_put64(to, folder);
	num_put64(to + 8, account);
	if (name.n != 0)
		memcpy(to + 16, name.p, name.n);
	to[16 + name.n] = '\0';
	return slice_of(to, 17 + name.n);
}

int
metadata_row_get(struct db_txn *t, uint64_t folder, uint64_t account,
    struct slice name, struct buf *out)
{
	char key[BASE_MAX];

	return chunk_get(
	    t, T_METADATA, base(key, folder, account, name), false, out);
}

int
metadata_row_put(struct db_txn *t, uint64_t folder, uint64_t account,
    struct slice name, struct slice value, size_t old_n)
{
	char key[BASE_MAX];

	return chunk_put(t, T_METADATA, base(key, folder, account, name), value,
	    old_n == SIZE_MAX ? 0 : old_n);
}

int
metadata_row_del(struct db_txn *t, uint64_t folder, uint64_t account,
    struct slice name, size_t old_n)
{
	char key[BASE_MAX];

	return chunk_del(
	    t, T_METADATA, base(key, folder, account, name), old_n);
}

int
metadata_scan_init(struct db_txn *t, uint64_t folder, uint64_t account,
    struct slice from, struct slice to, bool all, struct metadata_scan *m)
{
	char a[BASE_MAX], b[BASE_MAX];
	struct slice x = base(a, folder, account, from), y;

	x.n--; /* without the NUL */
	if (all)
		y = base(b, folder + 1, 0, SLICE(""));
	else if (to.p == NULL)
		y = base(b, folder, account + 1, SLICE(""));
	else
		y = base(b, folder, account, to);
	y.n--;
	return chunk_scan_init(t, T_METADATA, x, y, &m->c);
}

int
metadata_scan_next(struct metadata_scan *m)
{
	int rc = chunk_scan_next(&m->c);

	if (rc != 0)
		return rc;
	if (m->c.base_n < 18 || m->c.base[m->c.base_n - 1] != '\0')
		return ERR_CORRUPT;
	m->account = num_get64(m->c.base + 8);
	m->name = slice_of(m->c.base + 16, m->c.base_n - 17);
	m->value = buf_slice(&m->c.rec);
	return 0;
}

void
metadata_scan_fini(struct metadata_scan *m)
{
	chunk_scan_fini(&m->c);
}

int
metadata_row_charge(
    struct db_txn *t, uint64_t account, int64_t bytes, uint64_t *now_out)
{
	char key[BASE_MAX], value[TOTAL];
	struct slice k = base(key, totals, account, SLICE(""));
	uint64_t now = 0;
	size_t n;
	int rc = db_get_rmw(t, T_METADATA, k, value, sizeof(value), &n);

	if (rc == 0 && (n != TOTAL || value[0] != FORMAT))
		rc = ERR_CORRUPT;
	if (rc == 0)
		now = num_get64(value + 1);
	if (rc != 0 && rc != ERR_NOTFOUND)
		return rc;
	now = bytes < 0 && (uint64_t)-bytes > now ? 0 : now + (uint64_t)bytes;
	*now_out = now;
	if (now == 0)
		return rc == 0 ? db_del(t, T_METADATA, k) : 0;
	value[0] = FORMAT;
	num_put64(value + 1, now);
	return db_put(t, T_METADATA, k, slice_of(value, sizeof(value)));
}

struct dropped {
	uint64_t account;
	char name[METADATA_NAME_MAX];
	size_t name_n, value_n;
};

static int
list_all(
    struct db_txn *t, uint64_t folder, struct dropped **v_out, size_t *n_out)
{
	struct metadata_scan m;
	struct dropped *v = NULL;
	size_t n = 0, cap = 0;
	int rc =
	    metadata_scan_init(t, folder, 0, SLICE(""), SLICE(""), true, &m);

	while (rc == 0 && (rc = metadata_scan_next(&m)) == 0) {
		v = mem_grow(v, &cap, n, sizeof(*v));
		if (m.name.n > METADATA_NAME_MAX) {
			rc = ERR_CORRUPT;
			break;
		}
		v[n].account = m.account;
		v[n].name_n = m.name.n;
		memcpy(v[n].name, m.name.p, m.name.n);
		v[n++].value_n = m.value.n;
	}
	metadata_scan_fini(&m);
	*v_out = v;
	*n_out = n;
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
metadata_row_drop(struct db_txn *t, uint64_t owner, uint64_t folder)
{
	struct dropped *v;
	uint64_t now;
	size_t n;
	int rc = list_all(t, folder, &v, &n);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct slice name = slice_of(v[i].name, v[i].name_n);

		rc = metadata_row_del(
		    t, folder, v[i].account, name, v[i].value_n);
		if (rc == 0)
			rc = metadata_row_charge(t,
			    v[i].account != 0 ? v[i].account : owner,
			    -(int64_t)(v[i].name_n + v[i].value_n), &now);
	}
	free(v);
	return rc;
}
