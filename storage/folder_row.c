#include "storage/folder_row.h"

#include "lib/base/num.h"
#include "lib/db/db_many.h"
#include "storage/msg.h"
#include "storage/tables.h"

enum { FORMAT = 1, ROW = 1 + 8 + 6 * 4 + 3 * 8 };

int
folder_row_decode(struct slice value, struct folder_row *out)
{
	const uint8_t *p = (const uint8_t *)value.p;

	*out = (struct folder_row){ 0 };
	if (value.n != ROW || p[0] != FORMAT)
		return ERR_CORRUPT;
	out->account = num_get64(p + 1);
	out->st.uidvalidity = num_get32(p + 9);
	out->st.uidnext = num_get32(p + 13);
	out->st.messages = num_get32(p + 17);
	out->st.unseen = num_get32(p + 21);
	out->st.deleted = num_get32(p + 25);
	out->st.recent_from = num_get32(p + 29);
	out->st.highestmodseq = num_get64(p + 33);
	out->st.bytes = num_get64(p + 41);
	out->gone_floor = num_get64(p + 49);
	return 0;
}

int
folder_row_get(
    struct db_txn *t, uint64_t folder, bool rmw, struct folder_row *out)
{
	uint8_t key[8], value[ROW];
	struct slice k = slice_of(key, sizeof(key));
	size_t n;
	int rc;

	num_put64(key, folder);
	if (rmw)
		rc = db_get_rmw(t, T_FOLDER, k, value, sizeof(value), &n);
	else
		rc = db_get(t, T_FOLDER, k, value, sizeof(value), &n);
	if (rc != 0)
		return rc;
	return folder_row_decode(slice_of(value, n), out);
}

int
folder_row_get_at(struct db_edit *e, uint64_t folder, struct folder_row *out)
{
	uint8_t key[8], value[ROW];
	size_t n;
	int rc;

	num_put64(key, folder);
	rc = db_edit_seek(
	    e, slice_of(key, sizeof(key)), value, sizeof(value), &n);
	if (rc != 0)
		return rc;
	return folder_row_decode(slice_of(value, n), out);
}

static struct slice
encode(uint8_t p[ROW], const struct folder_row *row)
{
	p[0] = FORMAT;
	num_put64(p + 1, row->account);
	num_put32(p + 9, row->st.uidvalidity);
	num_put32(p + 13, row->st.uidnext);
	num_put32(p + 17, row->st.messages);
	num_put32(p + 21, row->st.unseen);
	num_put32(p + 25, row->st.deleted);
	num_put32(p + 29, row->st.recent_from);
	num_put64(p + 33, row->st.highestmodseq);
	num_put64(p + 41, row->st.bytes);
	num_put64(p + 49, row->gone_floor);
	return slice_of(p, ROW);
}

int
folder_row_put(struct db_txn *t, uint64_t folder, const struct folder_row *row)
{
	uint8_t key[8], p[ROW];

	num_put64(key, folder);
	return db_put(t, T_FOLDER, slice_of(key, sizeof(key)), encode(p, row));
}

int
folder_row_put_at(struct db_edit *e, const struct folder_row *row)
{
	uint8_t p[ROW];

	return db_edit_put(e, encode(p, row));
}

int
folder_row_del(struct db_txn *t, uint64_t folder)
{
	uint8_t key[8];

	num_put64(key, folder);
	return db_del(t, T_FOLDER, slice_of(key, sizeof(key)));
}

void
folder_row_count(struct folder_row *row, uint32_t flags, uint64_t size, int by)
{
	uint32_t one = (uint32_t)by;

	row->st.messages += one;
	if ((flags & MSG_SEEN) == 0)
		row->st.unseen += one;
	if ((flags & MSG_DELETED) != 0)
		row->st.deleted += one;
	row->st.bytes += by > 0 ? size : -size;
}
