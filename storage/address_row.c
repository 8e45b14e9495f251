#include "storage/address_row.h"

#include <string.h>

#include "storage/names.h"
#include "storage/rec.h"
#include "storage/tables.h"
#include "storage/tagged.h"

enum {
	FORMAT = 1,
	TAG_TARGET = 3, /* once for each */
	RECORD_MAX = 32 << 10,
	OF_KEY_MAX = NAMES_ACCOUNT_MAX + 1 + NAMES_ADDRESS_MAX
};

#define AT(member) offsetof(struct address_row, member)

static const struct tagged_field fields[] = {
	{ 1, TAGGED_BOOL, AT(ad.keep_copy) },
	{ 2, TAGGED_U64, AT(ad.created_at) },
};

#undef AT

static const struct tagged_def def = { fields, PH_LEN(fields) };

/* addr, NUL: chunks follow. */
static struct slice
base_of(char base[NAMES_ADDRESS_MAX + 1], struct slice addr)
{
	ph_assert(addr.n <= NAMES_ADDRESS_MAX);
	memcpy(base, addr.p, addr.n);
	base[addr.n] = '\0';
	return slice_of(base, addr.n + 1);
}

/* Picks the targets out of what the table of fields does not know. */
static int
take_targets(struct arena *a, struct address_row *row)
{
	struct slice rest = row->unknown, bytes;
	struct buf keep;
	uint8_t tag;
	bool bad;
	int rc = 0;

	buf_init(&keep, RECORD_MAX);
	while (rc == 0 && rec_next(&rest, &tag, &bytes, &bad)) {
		if (tag != TAG_TARGET)
			rec_add(&keep, tag, bytes);
		else if (row->ad.ntargets == ADDRESS_TARGETS_MAX)
			rc = ERR_CORRUPT;
		else
			row->ad.targets[row->ad.ntargets++] = bytes;
	}
	row->unknown = arena_copy(a, buf_slice(&keep));
	buf_fini(&keep);
	return rc;
}

int
address_row_decode(struct slice addr, struct slice record, struct arena *a,
    struct address_row *out)
{
	int rc;

	*out = (struct address_row){ .ad.addr = arena_copy(a, addr),
		.bytes = record.n };
	if ((rc = tagged_decode(record, &def, a, out, &out->unknown)) != 0)
		return rc;
	return take_targets(a, out);
}

int
address_row_get(struct db_txn *t, struct slice addr, bool rmw, struct arena *a,
    struct address_row *out)
{
	char base[NAMES_ADDRESS_MAX + 1];
	struct buf b;
	int rc;

	*out = (struct address_row){ 0 };
	if (addr.n == 0 || addr.n > NAMES_ADDRESS_MAX)
		return ERR_NOTFOUND;
	buf_init(&b, RECORD_MAX);
	rc = chunk_get(t, T_ADDRESS, base_of(base, addr), rmw, &b);
	if (rc == 0)
		rc = address_row_decode(addr, buf_slice(&b), a, out);
	buf_fini(&b);
	return rc;
}

int
address_row_put(struct db_txn *t, const struct address_row *row)
{
	char base[NAMES_ADDRESS_MAX + 1];
	struct buf b;
	int rc = ERR_TOOBIG;

	buf_init(&b, RECORD_MAX);
	tagged_encode(&b, &def, row, SLICE(""));
	for (size_t i = 0; i < row->ad.ntargets; i++)
		rec_add(&b, TAG_TARGET, row->ad.targets[i]);
	buf_add_slice(&b, row->unknown);
	if (!buf_failed(&b))
		rc = chunk_put(t, T_ADDRESS, base_of(base, row->ad.addr),
		    buf_slice(&b), row->bytes);
	buf_fini(&b);
	return rc;
}

int
address_row_del(struct db_txn *t, const struct address_row *row)
{
	char base[NAMES_ADDRESS_MAX + 1];

	return chunk_del(t, T_ADDRESS, base_of(base, row->ad.addr), row->bytes);
}

/* account, NUL, addr. */
static struct slice
of_key(char key[OF_KEY_MAX], struct slice account, struct slice addr)
{
	ph_assert(account.n <= NAMES_ACCOUNT_MAX);
	ph_assert(addr.n <= NAMES_ADDRESS_MAX);
	memcpy(key, account.p, account.n);
	key[account.n] = '\0';
	if (addr.n != 0)
		memcpy(key + account.n + 1, addr.p, addr.n);
	return slice_of(key, account.n + 1 + addr.n);
}

enum { SHARED = 1 };

int
address_of_put(struct db_txn *t, struct slice account, struct slice addr)
{
	static const char value[] = { FORMAT };
	char key[OF_KEY_MAX];

	return db_put(t, T_ADDRESS_OF, of_key(key, account, addr),
	    slice_of(value, sizeof(value)));
}

int
address_of_remember(
    struct db_txn *t, struct slice account, struct slice addr, bool shared)
{
	static const char value[] = { FORMAT, SHARED };
	char key[OF_KEY_MAX];

	return db_put(t, T_ADDRESS_OF, of_key(key, account, addr),
	    slice_of(value, shared ? 2 : 1));
}

int
address_of_shared(
    struct db_txn *t, struct slice account, struct slice addr, bool *shared_out)
{
	char key[OF_KEY_MAX], value[2];
	size_t n;
	int rc;

	*shared_out = false;
	rc = db_get(t, T_ADDRESS_OF, of_key(key, account, addr), value,
	    sizeof(value), &n);
	if (rc == 0)
		*shared_out = n == 2 && value[1] == SHARED;
	return rc;
}

int
address_of_del(struct db_txn *t, struct slice account, struct slice addr)
{
	char key[OF_KEY_MAX];
	int rc = db_del(t, T_ADDRESS_OF, of_key(key, account, addr));

	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
address_of_list(struct db_txn *t, struct slice account, struct arena *a,
    struct slice *v, size_t cap, size_t *n_out)
{
	char from[OF_KEY_MAX], to[OF_KEY_MAX];
	struct db_scan *scan = NULL;
	struct slice key, value, end;
	size_t n = 0;
	int rc;

	*n_out = 0;
	if (account.n == 0 || account.n > NAMES_ACCOUNT_MAX)
		return 0;
	end = of_key(to, account, SLICE(""));
	to[account.n] = '\1';
	rc = db_scan_init(
	    t, T_ADDRESS_OF, of_key(from, account, SLICE("")), end, &scan);
	while (
	    rc == 0 && n < cap && (rc = db_scan_next(scan, &key, &value)) == 0)
		v[n++] = arena_copy(a, slice_from(key, account.n + 1));
	db_scan_fini(&scan);
	*n_out = n;
	return rc == ERR_NOTFOUND ? 0 : rc;
}
