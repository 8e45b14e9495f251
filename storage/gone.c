#include "storage/gone.h"

#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/tables.h"

enum { FORMAT = 1, KEY = 18, PART = 200 };

static void
gone_key(uint8_t key[KEY], uint64_t folder, uint64_t modseq, unsigned part)
{
	num_put64(key, folder);
	num_put64(key + 8, modseq);
	num_put16(key + 16, (uint16_t)part);
}

int
gone_put(struct db_txn *t, uint64_t folder, uint64_t modseq,
    const uint32_t *uids, size_t n)
{
	uint8_t key[KEY], value[1 + 4 * PART];
	unsigned part = 0;
	int rc = 0;

	ph_assert(n / PART < UINT16_MAX);
	value[0] = FORMAT;
	for (size_t at = 0; rc == 0 && at < n; at += PART) {
		size_t k = n - at < PART ? n - at : PART;

		for (size_t i = 0; i < k; i++)
			num_put32(value + 1 + 4 * i, uids[at + i]);
		gone_key(key, folder, modseq, part++);
		rc = db_put(t, T_GONE, slice_of(key, sizeof(key)),
		    slice_of(value, 1 + 4 * k));
	}
	return rc;
}

struct uid_list {
	uint32_t *v;
	size_t n, cap;
};

static int
take_row(struct uid_list *l, struct slice value)
{
	const uint8_t *p = (const uint8_t *)value.p;

	if (value.n < 5 || p[0] != FORMAT || (value.n - 1) % 4 != 0)
		return ERR_CORRUPT;
	for (size_t i = 1; i < value.n; i += 4) {
		l->v = mem_grow(l->v, &l->cap, l->n, sizeof(*l->v));
		l->v[l->n++] = num_get32(p + i);
	}
	return 0;
}

static int
cmp_uid(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

int
gone_since(struct db_txn *t, uint64_t folder, uint64_t modseq,
    uint32_t **uids_out, size_t *n_out)
{
	uint8_t from[KEY], to[KEY];
	struct uid_list l = { 0 };
	struct db_scan *scan = NULL;
	struct slice key, value;
	int rc;

	*uids_out = NULL;
	*n_out = 0;
	if (modseq == UINT64_MAX)
		return 0;
	gone_key(from, folder, modseq + 1, 0);
	gone_key(to, folder + 1, 0, 0);
	rc = db_scan_init(t, T_GONE, slice_of(from, sizeof(from)),
	    slice_of(to, sizeof(to)), &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0)
		rc = take_row(&l, value);
	db_scan_fini(&scan);
	if (rc != ERR_NOTFOUND) {
		free(l.v);
		return rc;
	}
	if (l.n > 0)
		qsort(l.v, l.n, sizeof(*l.v), cmp_uid);
	*uids_out = l.v;
	*n_out = l.n;
	return 0;
}

int
gone_drop(struct db_txn *t, uint64_t folder)
{
	uint8_t from[KEY], found[KEY], value[1 + 4 * PART];
	size_t nkey, nvalue;
	int rc;

	gone_key(from, folder, 0, 0);
	for (;;) {
		rc = db_last(t, T_GONE, slice_of(from, 8), slice_of(NULL, 0),
		    found, sizeof(found), &nkey, value, sizeof(value), &nvalue);
		if (rc == ERR_NOTFOUND)
			return 0;
		if (rc == 0)
			rc = db_del(t, T_GONE, slice_of(found, nkey));
		if (rc != 0)
			return rc;
	}
}
