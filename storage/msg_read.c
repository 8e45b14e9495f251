#include "storage/body.h"
#include "storage/msg.h"
#include "storage/store_priv.h"

struct where {
	uint64_t body;
	struct body_loc loc;
};

static int
where_txn(struct db_txn *t, void *arg)
{
	struct where *w = arg;

	return body_get(t, w->body, &w->loc);
}

/* The hint first; the keeper may have moved the body since, and may again.
 * ERR_NOTFOUND in the end: expunged meanwhile. */
static int
read_body(struct store *s, const struct msg_meta *m, uint64_t off, uint64_t n,
    struct buf *out)
{
	struct where w = { .body = m->body };
	struct body_loc tried;
	int rc, found;

	w.loc = (struct body_loc){ .id = m->body,
		.segment = m->hint_segment,
		.offset = m->hint_offset,
		.length = m->body_bytes,
		.crc = m->hint_crc };
	rc = segment_read(s, &w.loc, off, n, m->ahead, out);
	for (int i = 0; i < 3 && (rc == ERR_NOTFOUND || rc == ERR_CORRUPT);
	     i++) {
		tried = w.loc;
		if ((found = db_read(s->db, where_txn, &w)) != 0)
			return found;
		if (rc == ERR_CORRUPT && tried.segment == w.loc.segment &&
		    tried.offset == w.loc.offset)
			break;
		rc = segment_read(s, &w.loc, off, n, m->ahead, out);
	}
	return rc;
}

int
msg_read(struct store *s, const struct msg_meta *m, uint64_t off, size_t n,
    struct buf *out)
{
	struct slice prefix;

	if (m->body == 0)
		return ERR_CORRUPT;
	if (off < m->prefix.n) {
		prefix = slice_sub(m->prefix, (size_t)off, n);
		buf_add_slice(out, prefix);
		if (buf_failed(out))
			return ERR_TOOBIG;
		off += prefix.n;
		n -= prefix.n;
	}
	off -= m->prefix.n;
	if (n == 0 || off >= m->body_bytes)
		return 0;
	return read_body(s, m, off, n, out);
}
