#include "storage/msg_load.h"

#include "lib/base/log.h"
#include "storage/body.h"
#include "storage/folder_row.h"
#include "storage/message.h"
#include "storage/meta.h"
#include "storage/store_priv.h"

void
msg_load_brief(uint32_t uid, const struct entry_brief *e, struct msg_meta *m)
{
	*m = (struct msg_meta){ .uid = uid,
		.msgid = e->msgid,
		.thread = e->msgid,
		.internal_date = e->internal_date,
		.save_date = e->save_date,
		.size = e->size };
}

struct slice
msg_load_uidl(
    struct arena *a, uint32_t uidvalidity, uint32_t uid, const struct entry *e)
{
	if (e->uidl_n > 0)
		return arena_copy(a, slice_of(e->uidl, e->uidl_n));
	/* CLIENTS M1 */
	return slice_str(arena_printf(a, "%u.%u", uidvalidity, uid));
}

static int
decode(
    struct db_txn *t, struct arena *a, struct slice record, struct message *r)
{
	struct slice shared;
	int rc = message_decode(record, r);

	if (rc != 0 || !r->shared)
		return rc;
	rc = body_shared(t, r->body, a, &shared);
	return rc == 0 ? message_decode_shared(shared, r) : rc;
}

int
msg_load_record(
    struct db_txn *t, struct arena *a, struct slice record, struct msg_meta *m)
{
	struct message r;
	int rc = decode(t, a, record, &r);

	if (rc == 0 && m->size != r.prefix.n + (uint64_t)r.body_bytes)
		rc = ERR_CORRUPT;
	if (rc != 0 && rc != ERR_NOTFOUND && rc != ERR_CORRUPT)
		return rc;
	if (rc != 0) {
		log_error(NULL, "index-damage", "record=message id=%llu",
		    (unsigned long long)m->msgid);
		return 0;
	}
	m->body = r.body;
	m->hint_segment = r.segment;
	m->hint_offset = r.offset;
	m->hint_crc = r.crc;
	m->body_bytes = r.body_bytes;
	m->header_bytes = r.header_bytes + (uint32_t)r.prefix.n;
	if (r.thread != 0)
		m->thread = r.thread;
	m->prefix = r.prefix;
	m->envelope = r.envelope;
	m->bodystructure = r.bodystructure;
	m->structure = r.structure;
	m->preview = r.preview;
	m->headers = meta_join_headers(a, r.prefix, r.headers);
	return 0;
}

int
msg_load_message(
    struct db_txn *t, uint64_t account, struct arena *a, struct msg_meta *m)
{
	struct slice record = { NULL, 0 };
	int rc = message_load(t, account, m->msgid, a, &record);

	if (rc == ERR_NOTFOUND || rc == ERR_CORRUPT)
		rc = 0; /* an empty record is damage */
	return rc == 0 ? msg_load_record(t, a, record, m) : rc;
}

struct one {
	uint64_t account, folder;
	uint32_t uid;
	struct arena *a;
	struct msg_meta *m;
};

static int
one_txn(struct db_txn *t, void *arg)
{
	struct one *o = arg;
	struct entry_brief brief;
	struct folder_row row;
	struct entry e;
	int rc;

	if ((rc = folder_row_get(t, o->folder, false, &row)) != 0)
		return rc;
	if (row.account != o->account)
		return ERR_NOTFOUND;
	if ((rc = entry_get(t, o->folder, o->uid, false, &e)) != 0)
		return rc;
	brief = entry_brief(&e);
	msg_load_brief(o->uid, &brief, o->m);
	o->m->uidl = msg_load_uidl(o->a, row.st.uidvalidity, o->uid, &e);
	return msg_load_message(t, o->account, o->a, o->m);
}

int
msg_meta_get(struct store *s, uint64_t account, uint64_t folder, uint32_t uid,
    struct arena *a, struct msg_meta *m_out)
{
	struct one o = { account, folder, uid, a, m_out };

	*m_out = (struct msg_meta){ 0 };
	return db_read(s->db, one_txn, &o);
}
