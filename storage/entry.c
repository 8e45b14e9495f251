#include "storage/entry.h"

#include <string.h>

#include "lib/base/num.h"
#include "lib/db/db_many.h"
#include "storage/tables.h"

enum { FORMAT = 1, HEAD = 1 + 4 * 8, ROW_MAX = HEAD + ENTRY_UIDL_MAX };

void
entry_key(uint8_t key[ENTRY_KEY], uint64_t folder, uint32_t uid)
{
	num_put64(key, folder);
	num_put32(key + 8, uid);
}

int
entry_decode(struct slice value, struct entry *out)
{
	const uint8_t *p = (const uint8_t *)value.p;

	if (value.n < HEAD || value.n > ROW_MAX || p[0] != FORMAT)
		return ERR_CORRUPT;
	out->internal_date = (int64_t)num_get64(p + 1);
	out->save_date = (int64_t)num_get64(p + 9);
	out->size = num_get64(p + 17);
	out->msgid = num_get64(p + 25);
	out->uidl_n = (uint32_t)(value.n - HEAD);
	memcpy(out->uidl, p + HEAD, out->uidl_n);
	return 0;
}

int
entry_decode_brief(
    struct slice value, uint64_t *size_out, struct slice *uidl_out)
{
	if (value.n < HEAD || value.n > ROW_MAX || value.p[0] != FORMAT)
		return ERR_CORRUPT;
	*size_out = num_get64(value.p + 17);
	*uidl_out = slice_from(value, HEAD);
	return 0;
}

int
entry_get(struct db_txn *t, uint64_t folder, uint32_t uid, bool rmw,
    struct entry *out)
{
	uint8_t key[ENTRY_KEY], value[ROW_MAX];
	struct slice k = slice_of(key, sizeof(key));
	size_t n;
	int rc;

	entry_key(key, folder, uid);
	if (rmw)
		rc = db_get_rmw(t, T_ENTRY, k, value, sizeof(value), &n);
	else
		rc = db_get(t, T_ENTRY, k, value, sizeof(value), &n);
	if (rc != 0)
		return rc;
	return entry_decode(slice_of(value, n), out);
}

static struct slice
entry_encode(uint8_t p[ROW_MAX], const struct entry *e)
{
	ph_assert(e->uidl_n <= ENTRY_UIDL_MAX);
	p[0] = FORMAT;
	num_put64(p + 1, (uint64_t)e->internal_date);
	num_put64(p + 9, (uint64_t)e->save_date);
	num_put64(p + 17, e->size);
	num_put64(p + 25, e->msgid);
	memcpy(p + HEAD, e->uidl, e->uidl_n);
	return slice_of(p, HEAD + e->uidl_n);
}

int
entry_put(
    struct db_txn *t, uint64_t folder, uint32_t uid, const struct entry *e)
{
	uint8_t key[ENTRY_KEY], p[ROW_MAX];

	entry_key(key, folder, uid);
	return db_put(
	    t, T_ENTRY, slice_of(key, sizeof(key)), entry_encode(p, e));
}

int
entry_put_at(
    struct db_edit *at, uint64_t folder, uint32_t uid, const struct entry *e)
{
	uint8_t key[ENTRY_KEY], p[ROW_MAX];

	entry_key(key, folder, uid);
	return db_edit_insert(
	    at, slice_of(key, sizeof(key)), entry_encode(p, e));
}
