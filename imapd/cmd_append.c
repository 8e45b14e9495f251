#include "imapd/cmd.h"

#include <inttypes.h>
#include <stdlib.h>

#include "imapd/append.h"
#include "imapd/mailbox.h"
#include "imapd/parse_args.h"
#include "imapd/seqset.h"
#include "imapd/watch.h"
#include "lib/base/mem.h"
#include "storage/deliver.h"

/* What deliver() takes, one of each for a message. */
struct bundle {
	struct deliver d;
	struct deliver_msg *msgs;
	struct deliver_target *targets;
	struct slice *parts;
};

static void
fill(struct client *c, const struct args_append *a, struct slice all,
    const struct folder_info *to, struct bundle *b)
{
	bool words = (to->rights & RIGHT_WRITE) != 0;
	uint64_t from = 0;

	b->msgs = arena_alloc(&c->arena, a->n * sizeof(*b->msgs));
	b->targets = arena_alloc(&c->arena, a->n * sizeof(*b->targets));
	b->parts = arena_alloc(&c->arena, a->n * sizeof(*b->parts));
	for (size_t i = 0; i < a->n; i++) {
		const struct append_msg *m = &a->v[i];
		uint64_t end = c->append->ends[i];

		b->parts[i] = slice_sub(all, from, end - from);
		b->targets[i] = (struct deliver_target){
			.account = to->account,
			.folder = to->id,
			/* RFC 4314 4: those he may set */
			.flags = m->flags.flags & rights_flags(to->rights),
			.keywords = m->flags.keywords,
			.nkeywords = words ? m->flags.n : 0,
		};
		b->msgs[i] = (struct deliver_msg){
			.parts = &b->parts[i],
			.nparts = 1,
			/* 0 would be the time of day */
			.internal_date =
			    m->has_date && m->date == 0 ? 1 : m->date,
			.targets = &b->targets[i],
			.ntargets = 1,
		};
		from = end;
	}
	b->d = (struct deliver){ .msgs = b->msgs, .nmsgs = a->n };
}

/* RFC 4315 3: APPENDUID uidvalidity uid-set */
static const char *
uid_code(struct client *c, const struct bundle *b)
{
	uint32_t *uids = arena_alloc(&c->arena, b->d.nmsgs * sizeof(*uids));
	const char *code;
	struct buf set;

	for (size_t i = 0; i < b->d.nmsgs; i++)
		uids[i] = b->targets[i].uid;
	buf_init(&set, 1 << 20);
	seqset_write(&set, uids, b->d.nmsgs);
	code = arena_printf(&c->arena, "APPENDUID %" PRIu32 " %.*s",
	    b->targets[0].uidvalidity, (int)buf_len(&set), set.p);
	buf_fini(&set);
	return code;
}

/* What is wrong with what came, before the store is asked. */
static const char *
unfit(const struct client *c, const struct args_append *a)
{
	const struct append_in *in = c->append;

	if (in == NULL || in->n != a->n)
		return "the messages do not fit the command";
	if (in->has_nul) /* RFC 3516 4.3: only a literal8 may hold them */
		return "the message has NUL characters";
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].size == 0)
			return "an empty message"; /* RFC 3502 6.3.11 */
	return NULL;
}

static enum step
deliver_all(
    struct client *c, const struct args_append *a, const struct folder_info *to)
{
	struct bundle b;
	struct slice all;
	struct err e = { 0 };
	int rc = spool_bytes(c->append->spool, &all);

	if (rc == 0) {
		fill(c, a, all, to, &b);
		rc = deliver(client_store(c), &b.d, &e);
	}
	if (rc == ERR_NOTFOUND) /* gone since we looked */
		return cmd_no(c, "TRYCREATE", "no such folder");
	if (rc != 0)
		return cmd_fail(c, rc, e.text);
	c->job.durable = true;
	watch_own_messages(
	    c, to->id, b.targets[0].uid, b.targets[b.d.nmsgs - 1].uid);
	return cmd_ok_code(c, uid_code(c, &b), "stored");
}

/* RFC 9051 6.3.12, RFC 3502 */
enum step
cmd_append(struct client *c)
{
	const struct args_append *a = c->cmd.args;
	const char *why = unfit(c, a);
	struct folder_info info;
	int rc;

	if (why != NULL)
		return cmd_no(c, "CANNOT", why);
	if ((rc = spool_status(c->append->spool)) != 0)
		return cmd_fail(c, rc, NULL);
	rc = mailbox_find(c, a->name, RIGHT_INSERT, &info);
	if (rc == ERR_NOTFOUND)
		return cmd_no(c, "TRYCREATE", "no such folder");
	if (rc != 0)
		return cmd_fail(c, rc, NULL);
	return deliver_all(c, a, &info);
}
