#include "storage/name_row.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/tables.h"

enum { FORMAT = 1, ROW = 11 };

static struct slice
name_key(uint8_t key[NAME_KEY_MAX], uint64_t account, struct slice name)
{
	ph_assert(name.n <= FOLDER_NAME_MAX);
	num_put64(key, account);
	if (name.n > 0)
		memcpy(key + 8, name.p, name.n);
	return slice_of(key, 8 + name.n);
}

static int
decode(struct slice value, struct name_row *out)
{
	const uint8_t *p = (const uint8_t *)value.p;

	if (value.n != ROW || p[0] != FORMAT || p[9] > USE_TRASH)
		return ERR_CORRUPT;
	out->folder = num_get64(p + 1);
	out->use = (enum folder_use)p[9];
	out->flags = p[10];
	return 0;
}

int
name_row_get(struct db_txn *t, uint64_t account, struct slice name, bool rmw,
    struct name_row *out)
{
	uint8_t key[NAME_KEY_MAX], value[ROW];
	struct slice k = name_key(key, account, name);
	size_t n;
	int rc;

	if (rmw)
		rc = db_get_rmw(t, T_FOLDER_NAME, k, value, sizeof(value), &n);
	else
		rc = db_get(t, T_FOLDER_NAME, k, value, sizeof(value), &n);
	if (rc != 0)
		return rc;
	return decode(slice_of(value, n), out);
}

int
name_row_put(struct db_txn *t, uint64_t account, struct slice name,
    const struct name_row *row)
{
	uint8_t key[NAME_KEY_MAX], value[ROW];

	value[0] = FORMAT;
	num_put64(value + 1, row->folder);
	value[9] = (uint8_t)row->use;
	value[10] = (uint8_t)row->flags;
	return db_put(t, T_FOLDER_NAME, name_key(key, account, name),
	    slice_of(value, sizeof(value)));
}

int
name_row_del(struct db_txn *t, uint64_t account, struct slice name)
{
	uint8_t key[NAME_KEY_MAX];

	return db_del(t, T_FOLDER_NAME, name_key(key, account, name));
}

static int
cmp_entry(const void *a, const void *b)
{
	const struct name_entry *x = a, *y = b;

	return folder_name_cmp(x->name, y->name);
}

int
name_row_list(struct db_txn *t, uint64_t account, struct arena *a,
    struct name_entry **v_out, size_t *n_out)
{
	uint8_t from[8], to[8];
	struct name_entry *v = NULL;
	struct db_scan *scan = NULL;
	struct slice key, value;
	size_t n = 0, cap = 0;
	int rc;

	num_put64(from, account);
	num_put64(to, account + 1);
	rc = db_scan_init(t, T_FOLDER_NAME, slice_of(from, sizeof(from)),
	    slice_of(to, sizeof(to)), &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		v = mem_grow(v, &cap, n, sizeof(*v));
		if ((rc = decode(value, &v[n].row)) == 0)
			v[n++].name = arena_copy(a, slice_from(key, 8));
	}
	db_scan_fini(&scan);
	if (rc == ERR_NOTFOUND)
		rc = 0;
	if (n > 0)
		qsort(v, n, sizeof(*v), cmp_entry);
	*v_out = arena_alloc(a, n * sizeof(*v) + 1);
	if (n > 0)
		memcpy(*v_out, v, n * sizeof(*v));
	*n_out = n;
	free(v);
	return rc;
}

struct name_entry *
name_row_find(struct name_entry *v, size_t n, struct slice name)
{
	size_t lo = 0;

	while (lo < n) {
		size_t mid = (lo + n) / 2;
		int c = folder_name_cmp(v[mid].name, name);

		if (c == 0)
			return &v[mid];
		if (c < 0)
			lo = mid + 1;
		else
			n = mid;
	}
	return NULL;
}

bool
name_row_has_children(const struct name_entry *v, size_t n, size_t i)
{
	for (size_t j = i + 1; j < n; j++) {
		if (!folder_name_below(v[j].name, v[i].name))
			return false;
		if (v[j].row.folder != 0)
			return true;
	}
	return false;
}

int
name_row_any_child(
    struct db_txn *t, uint64_t account, struct slice name, bool *any_out)
{
	uint8_t from[NAME_KEY_MAX + 1], to[NAME_KEY_MAX + 1];
	struct db_scan *scan = NULL;
	struct slice key, value;
	struct name_row row;
	size_t n = name_key(from, account, name).n;
	int rc;

	*any_out = false;
	memcpy(to, from, n);
	from[n] = '/';
	to[n] = '/' + 1;
	rc = db_scan_init(t, T_FOLDER_NAME, slice_of(from, n + 1),
	    slice_of(to, n + 1), &scan);
	while (rc == 0 && !*any_out &&
	       (rc = db_scan_next(scan, &key, &value)) == 0) {
		rc = decode(value, &row);
		*any_out = rc == 0 && row.folder != 0;
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}
