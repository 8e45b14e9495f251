#include "storage/account_row.h"

#include <string.h>

#include "lib/base/num.h"
#include "storage/names.h"
#include "storage/tables.h"
#include "storage/tagged.h"

enum { FORMAT = 1, KEY_MAX = NAMES_ACCOUNT_MAX + 5 };

#define AT(member) offsetof(struct account_row, member)

static const struct tagged_field account_fields[] = {
	{ 1, TAGGED_U64, AT(ac.id) },
	{ 2, TAGGED_TEXT, AT(ac.package) },
	{ 3, TAGGED_BOOL, AT(ac.suspended) },
	{ 4, TAGGED_TEXT, AT(ac.lang) },
	{ 5, TAGGED_TEXT, AT(ac.full_name) },
	{ 6, TAGGED_U64, AT(ac.bytes_max) },
	{ 7, TAGGED_U64, AT(ac.messages_max) },
	{ 8, TAGGED_U64, AT(ac.secret_version) },
	{ 9, TAGGED_U64, AT(ac.created_at) },
	{ 10, TAGGED_U32, AT(last_secret) },
	{ 11, TAGGED_U32, AT(life) },
	{ 12, TAGGED_U64, AT(ac.pop3_remove_sec) },
	{ 13, TAGGED_BOOL, AT(ac.junk_in_inbox) },
	{ 14, TAGGED_TEXT, AT(ac.uidl_format) },
	{ 15, TAGGED_U64, AT(ac.pop3_delay_sec) },
	{ 30, TAGGED_BOOL, AT(ac.refuses_mail) },
	{ 31, TAGGED_TEXT, AT(ac.networks) },
	{ 32, TAGGED_U64, AT(ac.deleted_at) },
	{ 33, TAGGED_U64, AT(ac.purge_at) },
	{ 40, TAGGED_U64, AT(ac.folders_max) },
	{ 41, TAGGED_U64, AT(ac.own.bytes) },
	{ 42, TAGGED_U64, AT(ac.own.messages) },
	{ 43, TAGGED_U64, AT(ac.own.folders) },
};

#undef AT
#define AT(member) offsetof(struct secret, member)

static const struct tagged_field secret_fields[] = {
	{ 1, TAGGED_U32, AT(kind) },
	{ 2, TAGGED_TEXT, AT(label) },
	{ 3, TAGGED_TEXT, AT(value) },
	{ 4, TAGGED_U32, AT(scope) },
	{ 5, TAGGED_U64, AT(created_at) },
	{ 6, TAGGED_U64, AT(used_at) },
	{ 7, TAGGED_U64, AT(expires_at) },
	{ 8, TAGGED_U64, AT(version) },
	{ 9, TAGGED_TEXT, AT(sha1) },
};

#undef AT

static const struct tagged_def account_def = { account_fields,
	PH_LEN(account_fields) };
static const struct tagged_def secret_def = { secret_fields,
	PH_LEN(secret_fields) };

/* name, NUL, u32 secret. */
static struct slice
secret_key(char key[KEY_MAX], struct slice name, uint32_t id)
{
	ph_assert(name.n <= NAMES_ACCOUNT_MAX);
	memcpy(key, name.p, name.n);
	key[name.n] = '\0';
	num_put32(key + name.n + 1, id);
	return slice_of(key, name.n + 5);
}

/* The first key behind the account's secrets. */
static struct slice
end_key(char key[KEY_MAX], struct slice name)
{
	ph_assert(name.n <= NAMES_ACCOUNT_MAX);
	memcpy(key, name.p, name.n);
	key[name.n] = '\1';
	return slice_of(key, name.n + 1);
}

static int
decode(struct slice name, struct slice value, struct arena *a,
    struct account_row *out)
{
	*out = (struct account_row){ .ac.name = arena_copy(a, name) };
	if (value.n < 1 || value.p[0] != FORMAT)
		return ERR_CORRUPT;
	return tagged_decode(
	    slice_from(value, 1), &account_def, a, out, &out->unknown);
}

/* A secret's row behind that of its account. */
static int
decode_secret(
    struct slice key, struct slice value, struct arena *a, struct account *ac)
{
	struct secret *s;
	size_t at = ac->name.n;

	if (key.n != at + 5 || key.p[at] != '\0' ||
	    memcmp(key.p, ac->name.p, at) != 0)
		return ERR_CORRUPT;
	if (ac->nsecrets == ACCOUNT_SECRETS_MAX || value.n < 1 ||
	    value.p[0] != FORMAT)
		return ERR_CORRUPT;
	s = &ac->secrets[ac->nsecrets++];
	*s = (struct secret){ .id = num_get32(key.p + at + 1) };
	return tagged_decode(slice_from(value, 1), &secret_def, a, s, NULL);
}

static int
get_secrets(struct db_txn *t, struct arena *a, struct account *ac)
{
	char from[KEY_MAX], to[KEY_MAX];
	struct db_scan *scan = NULL;
	struct slice key, value;
	int rc;

	rc = db_scan_init(t, T_ACCOUNT, secret_key(from, ac->name, 0),
	    end_key(to, ac->name), &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0)
		rc = decode_secret(key, value, a, ac);
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
account_row_get(struct db_txn *t, struct slice name, bool rmw, struct arena *a,
    struct account_row *out)
{
	char value[DB_VALUE_MAX];
	size_t n;
	int rc;

	*out = (struct account_row){ 0 };
	if (name.n == 0 || name.n > NAMES_ACCOUNT_MAX)
		return ERR_NOTFOUND;
	rc = rmw ? db_get_rmw(t, T_ACCOUNT, name, value, sizeof(value), &n)
		 : db_get(t, T_ACCOUNT, name, value, sizeof(value), &n);
	if (rc != 0 || (rc = decode(name, slice_of(value, n), a, out)) != 0)
		return rc;
	return get_secrets(t, a, &out->ac);
}

int
account_row_name(
    struct db_txn *t, uint64_t id, struct arena *a, struct slice *name_out)
{
	char key[8], value[1 + NAMES_ACCOUNT_MAX];
	size_t n;
	int rc;

	num_put64(key, id);
	rc = db_get(t, T_ACCOUNT_ID, slice_of(key, sizeof(key)), value,
	    sizeof(value), &n);
	if (rc == 0 && (n < 2 || value[0] != FORMAT))
		rc = ERR_CORRUPT;
	if (rc == 0)
		*name_out = arena_copy(a, slice_of(value + 1, n - 1));
	return rc;
}

int
account_row_get_id(struct db_txn *t, uint64_t id, bool rmw, struct arena *a,
    struct account_row *out)
{
	struct slice name;
	int rc;

	*out = (struct account_row){ 0 };
	if ((rc = account_row_name(t, id, a, &name)) != 0)
		return rc;
	return account_row_get(t, name, rmw, a, out);
}

int
account_row_lives(struct db_txn *t, struct slice name)
{
	struct account_row row;
	char value[DB_VALUE_MAX];
	struct arena a;
	size_t n;
	int rc;

	if (name.n == 0 || name.n > NAMES_ACCOUNT_MAX)
		return ERR_NOTFOUND;
	rc = db_get(t, T_ACCOUNT, name, value, sizeof(value), &n);
	if (rc != 0)
		return rc;
	arena_init(&a);
	rc = decode(name, slice_of(value, n), &a, &row);
	arena_clear(&a);
	return rc == 0 && row.life != ACCOUNT_LIVES ? ERR_NOTFOUND : rc;
}

static int
put(struct db_txn *t, struct slice key, const struct tagged_def *def,
    const void *obj, struct slice unknown)
{
	struct buf b;
	int rc = ERR_TOOBIG;

	buf_init(&b, DB_VALUE_MAX);
	buf_add_char(&b, FORMAT);
	tagged_encode(&b, def, obj, unknown);
	if (!buf_failed(&b))
		rc = db_put(t, T_ACCOUNT, key, buf_slice(&b));
	buf_fini(&b);
	return rc;
}

static void
encode_all(struct buf *b, const struct account_row *row)
{
	tagged_encode(b, &account_def, row, SLICE(""));
	for (size_t i = 0; i < row->ac.nsecrets; i++) {
		buf_add_u64(b, row->ac.secrets[i].id);
		tagged_encode(b, &secret_def, &row->ac.secrets[i], SLICE(""));
	}
}

bool
account_row_same(const struct account_row *a, const struct account_row *b)
{
	struct buf x, y;
	bool same;

	if (a->ac.nsecrets != b->ac.nsecrets)
		return false;
	buf_init(&x, (ACCOUNT_SECRETS_MAX + 1) * DB_VALUE_MAX);
	buf_init(&y, (ACCOUNT_SECRETS_MAX + 1) * DB_VALUE_MAX);
	encode_all(&x, a);
	encode_all(&y, b);
	same = !buf_failed(&x) && slice_eq(buf_slice(&x), buf_slice(&y));
	buf_fini(&x);
	buf_fini(&y);
	return same;
}

int
account_row_put(struct db_txn *t, const struct account_row *row)
{
	return put(t, row->ac.name, &account_def, row, row->unknown);
}

int
account_row_put_secret(
    struct db_txn *t, struct slice name, const struct secret *s)
{
	char key[KEY_MAX];

	return put(t, secret_key(key, name, s->id), &secret_def, s, SLICE(""));
}

int
account_row_del_secret(struct db_txn *t, struct slice name, uint32_t id)
{
	char key[KEY_MAX];

	return db_del(t, T_ACCOUNT, secret_key(key, name, id));
}

int
account_row_del(struct db_txn *t, const struct account_row *row)
{
	char key[8];
	int rc = db_del(t, T_ACCOUNT, row->ac.name);

	for (size_t i = 0; rc == 0 && i < row->ac.nsecrets; i++)
		rc = account_row_del_secret(
		    t, row->ac.name, row->ac.secrets[i].id);
	num_put64(key, row->ac.id);
	if (rc == 0)
		rc = db_del(t, T_ACCOUNT_ID, slice_of(key, sizeof(key)));
	return rc;
}

int
account_row_put_id(struct db_txn *t, uint64_t id, struct slice name)
{
	char key[8], value[1 + NAMES_ACCOUNT_MAX];

	ph_assert(name.n <= NAMES_ACCOUNT_MAX);
	num_put64(key, id);
	value[0] = FORMAT;
	memcpy(value + 1, name.p, name.n);
	return db_put(t, T_ACCOUNT_ID, slice_of(key, sizeof(key)),
	    slice_of(value, 1 + name.n));
}

int
account_row_list(struct db_txn *t, enum account_life life, struct slice after,
    struct slice to, struct arena *a, struct account *v, size_t cap,
    size_t *n_out)
{
	char from[KEY_MAX];
	struct db_scan *scan = NULL;
	struct account_row row = { 0 };
	struct slice key, value;
	bool taken = false; /* the row's secrets are wanted */
	size_t n = 0;
	int rc;

	*n_out = 0;
	if (after.n > NAMES_ACCOUNT_MAX)
		after.n = NAMES_ACCOUNT_MAX;
	rc = db_scan_init(t, T_ACCOUNT,
	    after.n != 0 ? end_key(from, after) : SLICE(""), to, &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		if (slice_chr(key, '\0') != key.n) {
			if (taken)
				rc = decode_secret(key, value, a, &v[n - 1]);
			continue;
		}
		if (n == cap)
			break;
		if ((rc = decode(key, value, a, &row)) != 0)
			break;
		taken = row.life == life;
		if (taken)
			v[n++] = row.ac;
	}
	db_scan_fini(&scan);
	*n_out = n;
	return rc == ERR_NOTFOUND ? 0 : rc;
}
