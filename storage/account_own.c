#include "storage/account_own.h"

#include "storage/account_row.h"
#include "storage/folder.h"
#include "storage/store_priv.h"

/* own is one more than the limit, 0: none; max 0: none. */
static uint64_t
lower_of(uint64_t own, uint64_t max)
{
	if (own == 0 || (max != 0 && own - 1 > max))
		return max;
	/* 0 means no limit to the tables: nothing at all is rounded to one,
	 * and the answer says so (RFC 9208 4.1.3). */
	return own == 1 ? 1 : own - 1;
}

struct usage_limits
account_limits(const struct account *ac)
{
	return (struct usage_limits){ lower_of(ac->own.bytes, ac->bytes_max),
		lower_of(ac->own.messages, ac->messages_max) };
}

uint64_t
account_folders_max(const struct account *ac)
{
	uint64_t max = ac->folders_max;

	if (max == 0 || max > FOLDERS_PER_ACCOUNT_MAX)
		max = FOLDERS_PER_ACCOUNT_MAX;
	return lower_of(ac->own.folders, max);
}

struct change {
	uint64_t id;
	const struct account_own *own;
	struct arena *a;
	struct account_row row;
};

static int
set(struct db_txn *t, void *arg)
{
	struct change *c = arg;
	struct usage_limits l;
	int rc;

	rc = account_row_get_id(t, c->id, true, c->a, &c->row);
	if (rc == 0 && c->row.life != ACCOUNT_LIVES)
		rc = ERR_NOTFOUND;
	if (rc != 0)
		return rc;
	c->row.ac.own = *c->own;
	l = account_limits(&c->row.ac);
	rc = account_row_put(t, &c->row);
	return rc == 0 ? usage_account_set(t, c->id, c->row.ac.package, &l,
			     c->row.ac.uidl_format)
		       : rc;
}

int
account_set_own(struct store *s, uint64_t id, const struct account_own *own,
    struct arena *a, struct account *out)
{
	struct change c = { .id = id, .own = own, .a = a };
	int rc = db_update(s->db, set, &c);

	*out = c.row.ac;
	return rc;
}
