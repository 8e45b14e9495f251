#include "storage/host_key.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/crypt/crypt.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

enum { FORMAT = 1 };

struct ask {
	struct slice name; /* in the table meta */
	uint8_t fresh[HOST_KEY_LEN];
	uint8_t *out;
};

static int
ask(struct db_txn *t, void *arg)
{
	const struct ask *k = arg;
	uint8_t value[1 + HOST_KEY_LEN];
	size_t n;
	int rc;

	rc = db_get_rmw(t, T_META, k->name, value, sizeof(value), &n);
	if (rc == ERR_NOTFOUND) {
		n = sizeof(value);
		value[0] = FORMAT;
		memcpy(value + 1, k->fresh, HOST_KEY_LEN);
		rc = db_put(t, T_META, k->name, slice_of(value, n));
	}
	if (rc == 0 && (n != sizeof(value) || value[0] != FORMAT))
		rc = ERR_CORRUPT;
	if (rc == 0)
		memcpy(k->out, value + 1, HOST_KEY_LEN);
	mem_wipe(value, sizeof(value));
	return rc;
}

static int
get(struct store *s, struct slice name, uint8_t out[HOST_KEY_LEN])
{
	struct ask k = { .name = name, .out = out };
	int rc;

	crypt_random(k.fresh, sizeof(k.fresh));
	rc = db_update(s->db, ask, &k);
	mem_wipe(k.fresh, sizeof(k.fresh));
	return rc;
}

int
host_key_get(struct store *s, uint8_t out[HOST_KEY_LEN])
{
	return get(s, SLICE("auth-key"), out);
}

int
host_key_srs(struct store *s, uint8_t out[HOST_KEY_LEN])
{
	return get(s, SLICE("srs-key"), out);
}
