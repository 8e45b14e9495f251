#include "storage/sent_again.h"

#include "lib/mail/header.h"
#include "storage/msg.h"
#include "storage/submit.h"

static struct slice
msgid_of(struct slice msg)
{
	struct slice header = slice_sub(msg, 0, header_end(msg));
	struct slice id = slice_trim(header_find(header, SLICE("Message-ID")));

	if (id.n <= 2 || id.p[0] != '<' || id.p[id.n - 1] != '>')
		return SLICE("");
	/* As submitd has it. */
	return slice_sub(slice_sub(id, 1, id.n - 2), 0, 250);
}

/* Does the program's copy say more than ours: who got it unseen? */
static bool
says_more(struct store *s, const struct deliver_target *t, uint32_t uid,
    struct slice msg)
{
	struct slice header = slice_sub(msg, 0, header_end(msg));
	struct msg_meta m;
	struct arena a;
	bool ours = false;

	if (header_find(header, SLICE("Bcc")).p == NULL)
		return false;
	arena_init(&a);
	if (msg_meta_get(s, t->account, t->folder, uid, &a, &m) == 0)
		ours = header_find(m.prefix, SLICE("Bcc")).p != NULL;
	arena_clear(&a);
	return !ours;
}

static int
add_flags(struct store *s, const struct deliver_target *t, uint32_t uid)
{
	struct msg_change ch = { .uids = &uid,
		.n = 1,
		.op = MSG_OP_ADD,
		.flags = t->flags,
		.keywords = t->keywords,
		.nkeywords = t->nkeywords,
		.unchanged_since = UINT64_MAX };
	int rc;

	if (t->flags == 0 && t->nkeywords == 0)
		return 0;
	rc = msg_store_flags(s, t->account, t->folder, &ch);
	msg_change_fini(&ch);
	return rc;
}

int
sent_again(struct store *s, struct deliver *d, struct err *e)
{
	struct deliver_target *t;
	uint32_t uidvalidity, uid;
	struct slice msgid;
	int rc;

	if (d->gone != NULL || d->nmsgs != 1 || d->msgs[0].ntargets != 1 ||
	    d->msgs[0].nparts != 1)
		return deliver(s, d, e);
	t = &d->msgs[0].targets[0];
	msgid = msgid_of(d->msgs[0].parts[0]);
	rc = ERR_NOTFOUND;
	if (msgid.n != 0)
		rc = submit_find_sent(
		    s, t->account, t->folder, msgid, &uidvalidity, &uid);
	if (rc == 0 && says_more(s, t, uid, d->msgs[0].parts[0]))
		rc = ERR_NOTFOUND;
	if (rc == 0)
		rc = add_flags(s, t, uid);
	if (rc != 0) /* of whatever kind: the copy is the program's then */
		return deliver(s, d, e);
	t->uidvalidity = uidvalidity;
	t->uid = uid;
	return 0;
}
