#include "storage/queue_row.h"

#include "lib/base/num.h"
#include "storage/rec.h"
#include "storage/tagged.h"

enum { TAG_RCPT = 32 };

#define AT(member) offsetof(struct queue_row, member)

/* The first five are read alone (queue_decode_head). */
static const struct tagged_field row_fields[] = {
	{ 1, TAGGED_U32, AT(state) },
	{ 2, TAGGED_U64, AT(next_at) },
	{ 3, TAGGED_U64, AT(body) },
	{ 4, TAGGED_U64, AT(size) },
	{ 5, TAGGED_U64, AT(account) },
	{ 6, TAGGED_TEXT, AT(sender) },
	{ 7, TAGGED_TEXT, AT(envid) },
	{ 8, TAGGED_TEXT, AT(msgid) },
	{ 9, TAGGED_U32, AT(flags) },
	{ 10, TAGGED_U32, AT(attempts) },
	{ 11, TAGGED_U64, AT(created_at) },
	{ 12, TAGGED_U64, AT(expire_at) },
	{ 13, TAGGED_U64, AT(sent_folder) },
	{ 14, TAGGED_U32, AT(sent_uid) },
	{ 15, TAGGED_U64, AT(box_folder) },
	{ 16, TAGGED_U32, AT(box_uid) },
};

#undef AT
#define AT(member) offsetof(struct queue_rcpt, member)

static const struct tagged_field rcpt_fields[] = {
	{ 1, TAGGED_TEXT, AT(addr) },
	{ 2, TAGGED_TEXT, AT(orcpt) },
	{ 3, TAGGED_U32, AT(notify) },
	{ 4, TAGGED_U32, AT(state) },
	{ 5, TAGGED_TEXT, AT(reply) },
	{ 6, TAGGED_TEXT, AT(remote) },
	{ 7, TAGGED_U64, AT(tried_at) },
};

#undef AT
#define AT(member) offsetof(struct queue_head, member)

static const struct tagged_field head_fields[] = {
	{ 1, TAGGED_U32, AT(state) },
	{ 2, TAGGED_U64, AT(next_at) },
	{ 3, TAGGED_U64, AT(body) },
	{ 5, TAGGED_U64, AT(account) },
};

#undef AT

static const struct tagged_def row_def = { row_fields, PH_LEN(row_fields) };
static const struct tagged_def rcpt_def = { rcpt_fields, PH_LEN(rcpt_fields) };
static const struct tagged_def head_def = { head_fields, PH_LEN(head_fields) };

/* Held rows stand behind all of the account's that will ever be due.  Seconds
 * before 1970 are none. */
struct slice
queue_due_key(char key[QUEUE_DUE_BYTES], uint64_t account, enum queue_state st,
    int64_t next_at, uint64_t id)
{
	if (st == QUEUE_HELD)
		next_at = QUEUE_NEVER;
	num_put64(key, account);
	num_put64(key + 8, next_at > 0 ? (uint64_t)next_at : 0);
	num_put64(key + 16, id);
	return slice_of(key, QUEUE_DUE_BYTES);
}

/* A remote's words are kept verbatim, but not without end. */
static void
encode_rcpt(struct buf *b, const struct queue_rcpt *rcpt)
{
	struct queue_rcpt cut = *rcpt;
	struct buf one;

	cut.reply = slice_sub(cut.reply, 0, QUEUE_REPLY_MAX);
	cut.remote = slice_sub(cut.remote, 0, QUEUE_REPLY_MAX);
	buf_init(&one, QUEUE_RECORD_MAX);
	tagged_encode(&one, &rcpt_def, &cut, SLICE(""));
	rec_add(b, TAG_RCPT, buf_slice(&one));
	if (buf_failed(&one))
		b->failed = true;
	buf_fini(&one);
}

void
queue_encode(struct buf *b, const struct queue_row *row)
{
	tagged_encode(b, &row_def, row, SLICE(""));
	for (size_t i = 0; i < row->nrcpts; i++)
		encode_rcpt(b, &row->rcpts[i]);
}

static int
decode_rcpts(struct slice rest, struct arena *a, struct queue_row *out)
{
	struct slice bytes;
	uint8_t tag;
	bool bad;
	int rc = 0;

	out->rcpts = arena_alloc(a, QUEUE_RCPTS_MAX * sizeof(*out->rcpts));
	while (rc == 0 && rec_next(&rest, &tag, &bytes, &bad)) {
		if (tag != TAG_RCPT)
			continue;
		if (out->nrcpts == QUEUE_RCPTS_MAX)
			return ERR_CORRUPT;
		rc = tagged_decode(
		    bytes, &rcpt_def, a, &out->rcpts[out->nrcpts++], NULL);
	}
	return rc;
}

int
queue_decode(
    uint64_t id, struct slice record, struct arena *a, struct queue_row *out)
{
	int rc;

	*out = (struct queue_row){ .id = id };
	if ((rc = tagged_decode(record, &row_def, a, out, NULL)) != 0)
		return rc;
	if (out->state > QUEUE_SCHEDULED)
		return ERR_CORRUPT;
	return decode_rcpts(record, a, out);
}

int
queue_decode_head(struct slice record, struct queue_head *out)
{
	struct slice rest = record, bytes;
	struct arena a;
	size_t n = 0;
	uint8_t tag;
	bool bad;
	int rc;

	*out = (struct queue_head){ 0 };
	/* They come first, and a zero one is not there. */
	while (rec_next(&rest, &tag, &bytes, &bad) && tag <= 5)
		n = (size_t)(bytes.p + bytes.n - record.p);
	arena_init(&a);
	rc = tagged_decode(slice_sub(record, 0, n), &head_def, &a, out, NULL);
	arena_clear(&a);
	return rc == 0 && out->state > QUEUE_SCHEDULED ? ERR_CORRUPT : rc;
}
