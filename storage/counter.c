#include "storage/counter.h"

#include "lib/base/num.h"
#include "storage/tables.h"

enum { COUNTER_BYTES = 9, COUNTER_FORMAT = 1 };

static int
decode(int rc, const char *v, size_t n, uint64_t *out)
{
	*out = 0;
	if (rc == ERR_NOTFOUND)
		return 0;
	if (rc != 0)
		return rc;
	if (n != COUNTER_BYTES || v[0] != COUNTER_FORMAT)
		return ERR_CORRUPT;
	*out = num_get64(v + 1);
	return 0;
}

int
counter_next(struct db_txn *t, struct slice name, uint64_t floor, uint64_t *out)
{
	char v[COUNTER_BYTES];
	uint64_t last;
	size_t n;
	int rc = db_get_rmw(t, T_META, name, v, sizeof(v), &n);

	if ((rc = decode(rc, v, n, &last)) != 0)
		return rc;
	if (last == UINT64_MAX)
		return ERR_LIMIT;
	*out = last + 1 > floor ? last + 1 : floor;
	v[0] = COUNTER_FORMAT;
	num_put64(v + 1, *out);
	return db_put(t, T_META, name, slice_of(v, sizeof(v)));
}

int
counter_last(struct db_txn *t, struct slice name, uint64_t *out)
{
	char v[COUNTER_BYTES];
	size_t n;
	int rc = db_get(t, T_META, name, v, sizeof(v), &n);

	return decode(rc, v, n, out);
}
