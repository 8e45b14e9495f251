#include "storage/package_row.h"

#include "storage/tables.h"
#include "storage/tagged.h"

enum { FORMAT = 1 };

#define AT(member) offsetof(struct package_row, member)

static const struct tagged_field package_fields[] = {
	{ 1, TAGGED_BOOL, AT(p.suspended) },
	{ 2, TAGGED_U64, AT(p.accounts_max) },
	{ 3, TAGGED_U64, AT(p.bytes_max) },
	{ 4, TAGGED_U64, AT(p.messages_max) },
	{ 5, TAGGED_U64, AT(p.sends_per_hour) },
	{ 6, TAGGED_U64, AT(p.domains_max) },
	{ 7, TAGGED_U64, AT(p.created_at) },
	{ 8, TAGGED_U64, AT(accounts) },
	{ 9, TAGGED_U64, AT(domains) },
	{ 10, TAGGED_U64, AT(last_number) },
	{ 30, TAGGED_BOOL, AT(p.refuses_mail) },
	{ 31, TAGGED_U64, AT(binned) },
};

#undef AT
#define AT(member) offsetof(struct domain_row, member)

static const struct tagged_field domain_fields[] = {
	{ 1, TAGGED_TEXT, AT(d.package) },
	{ 2, TAGGED_U64, AT(d.created_at) },
	{ 3, TAGGED_U64, AT(addresses) },
};

#undef AT

static const struct tagged_def package_def = { package_fields,
	PH_LEN(package_fields) };
static const struct tagged_def domain_def = { domain_fields,
	PH_LEN(domain_fields) };

static int
put(struct db_txn *t, unsigned table, struct slice key,
    const struct tagged_def *def, const void *row, struct slice unknown,
    bool fresh)
{
	struct buf b;
	int rc = ERR_TOOBIG;

	buf_init(&b, DB_VALUE_MAX);
	buf_add_char(&b, FORMAT);
	tagged_encode(&b, def, row, unknown);
	if (!buf_failed(&b))
		rc = fresh ? db_insert(t, table, key, buf_slice(&b))
			   : db_put(t, table, key, buf_slice(&b));
	buf_fini(&b);
	return rc;
}

static int
get(struct db_txn *t, unsigned table, struct slice key, bool rmw, char *value,
    struct slice *value_out)
{
	size_t n;
	int rc;

	if (key.n == 0 || key.n > DB_KEY_MAX)
		return ERR_NOTFOUND;
	rc = rmw ? db_get_rmw(t, table, key, value, DB_VALUE_MAX, &n)
		 : db_get(t, table, key, value, DB_VALUE_MAX, &n);
	*value_out = slice_of(value, n);
	return rc;
}

static bool
format_ok(struct slice value)
{
	return value.n >= 1 && value.p[0] == FORMAT;
}

int
package_row_decode(struct slice name, struct slice value, struct arena *a,
    struct package_row *out)
{
	int rc;

	*out = (struct package_row){ .p.name = arena_copy(a, name) };
	if (!format_ok(value))
		return ERR_CORRUPT;
	rc = tagged_decode(
	    slice_from(value, 1), &package_def, a, out, &out->unknown);
	out->p.accounts = out->accounts - out->binned;
	out->p.domains = out->domains;
	return rc;
}

int
package_row_get(struct db_txn *t, struct slice name, bool rmw, struct arena *a,
    struct package_row *out)
{
	char bytes[DB_VALUE_MAX];
	struct slice value;
	int rc = get(t, T_PACKAGE, name, rmw, bytes, &value);

	return rc != 0 ? rc : package_row_decode(name, value, a, out);
}

int
package_row_put(struct db_txn *t, const struct package_row *row, bool fresh)
{
	return put(
	    t, T_PACKAGE, row->p.name, &package_def, row, row->unknown, fresh);
}

int
domain_row_decode(struct slice name, struct slice value, struct arena *a,
    struct domain_row *out)
{
	*out = (struct domain_row){ .d.name = arena_copy(a, name) };
	if (!format_ok(value))
		return ERR_CORRUPT;
	return tagged_decode(
	    slice_from(value, 1), &domain_def, a, out, &out->unknown);
}

int
domain_row_get(struct db_txn *t, struct slice name, bool rmw, struct arena *a,
    struct domain_row *out)
{
	char bytes[DB_VALUE_MAX];
	struct slice value;
	int rc = get(t, T_DOMAIN, name, rmw, bytes, &value);

	return rc != 0 ? rc : domain_row_decode(name, value, a, out);
}

int
domain_row_put(struct db_txn *t, const struct domain_row *row, bool fresh)
{
	return put(
	    t, T_DOMAIN, row->d.name, &domain_def, row, row->unknown, fresh);
}
