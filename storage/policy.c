#include "storage/policy.h"

#include <string.h>

#include "storage/names.h"
#include "storage/notify.h"
#include "storage/store_priv.h"
#include "storage/tables.h"
#include "storage/tagged.h"

enum { FORMAT = 1, KEY_MAX = 1 + NAMES_DOMAIN_MAX };

#define AT(member) offsetof(struct policy, member)

static const struct tagged_field fields[] = {
	{ 1, TAGGED_U64, AT(limits.messages_hour) },
	{ 2, TAGGED_U64, AT(limits.recipients_hour) },
	{ 3, TAGGED_U64, AT(limits.recipients_message) },
	{ 4, TAGGED_U64, AT(limits.new_day) },
	{ 5, TAGGED_BOOL, AT(sent_copy) },
	{ 6, TAGGED_BOOL, AT(outbox) },
	{ 7, TAGGED_U32, AT(undo_sec) },
	{ 8, TAGGED_TEXT, AT(send_as) },
};

#undef AT

static const struct tagged_def def = { fields, PH_LEN(fields) };

struct op {
	char key[KEY_MAX];
	size_t key_n;
	struct arena *a;
	struct policy *out;
	struct slice value; /* empty: remove */
};

static bool
set_key(struct op *op, char kind, struct slice name)
{
	if (name.n == 0 || name.n > NAMES_DOMAIN_MAX)
		return false;
	op->key[0] = kind;
	memcpy(op->key + 1, name.p, name.n);
	op->key_n = 1 + name.n;
	return true;
}

static int
get(struct db_txn *t, void *arg)
{
	const struct op *op = arg;
	char value[DB_VALUE_MAX];
	size_t n;
	int rc = db_get(t, T_POLICY, slice_of(op->key, op->key_n), value,
	    sizeof(value), &n);

	if (rc != 0)
		return rc;
	*op->out = (struct policy){ 0 };
	if (n < 1 || value[0] != FORMAT)
		return ERR_CORRUPT;
	return tagged_decode(slice_of(value + 1, n - 1), &def, op->a, op->out,
	    &op->out->unknown);
}

int
policy_get(struct store *s, char kind, struct slice name, struct arena *a,
    struct policy *out)
{
	struct op op = { .a = a, .out = out };
	int rc;

	*out = (struct policy){ 0 };
	if (!set_key(&op, kind, name))
		return 0;
	rc = db_read(s->db, get, &op);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
set(struct db_txn *t, void *arg)
{
	const struct op *op = arg;
	struct slice key = slice_of(op->key, op->key_n);
	int rc;

	if (op->value.n > 1)
		return db_put(t, T_POLICY, key, op->value);
	rc = db_del(t, T_POLICY, key);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
policy_drop(struct db_txn *t, char kind, struct slice name)
{
	struct op op = { .value = SLICE("") };

	return set_key(&op, kind, name) ? set(t, &op) : 0;
}

int
policy_set(
    struct store *s, char kind, struct slice name, const struct policy *p)
{
	struct op op = { 0 };
	struct buf b;
	int rc = ERR_TOOBIG;

	if (!set_key(&op, kind, name))
		return ERR_INVALID;
	if (p->send_as.n > POLICY_AS_MAX)
		return ERR_TOOBIG;
	buf_init(&b, DB_VALUE_MAX);
	buf_add_char(&b, FORMAT);
	tagged_encode(&b, &def, p, p->unknown);
	op.value = buf_slice(&b);
	if (!buf_failed(&b))
		rc = db_update(s->db, set, &op);
	buf_fini(&b);
	/* Whose caches it is in is not known here: all look again. */
	if (rc == 0)
		notify_add(s, &(struct notify_event){ .kind = NOTIFY_ACCOUNT });
	return rc;
}
