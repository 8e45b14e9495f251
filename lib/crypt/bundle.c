#include "lib/crypt/bundle.h"

#include "lib/base/num.h"

static void
add_field(struct buf *out, struct slice s)
{
	char len[4];

	num_put32(len, (uint32_t)s.n);
	buf_add(out, len, sizeof(len));
	buf_add_slice(out, s);
}

void
bundle_add(struct buf *out, const struct bundle_entry *entry)
{
	add_field(out, entry->name);
	add_field(out, entry->chain_pem);
	add_field(out, entry->key_pem);
}

static bool
next_field(struct slice *rest, struct slice *field_out)
{
	uint32_t n;

	if (rest->n < 4)
		return false;
	n = num_get32(rest->p);
	if (rest->n - 4 < n)
		return false;
	*field_out = slice_sub(*rest, 4, n);
	*rest = slice_from(*rest, 4 + (size_t)n);
	return true;
}

bool
bundle_next(struct slice *rest, struct bundle_entry *entry_out, bool *bad_out)
{
	*bad_out = false;
	if (rest->n == 0)
		return false;
	if (next_field(rest, &entry_out->name) &&
	    next_field(rest, &entry_out->chain_pem) &&
	    next_field(rest, &entry_out->key_pem))
		return true;
	*bad_out = true;
	return false;
}
