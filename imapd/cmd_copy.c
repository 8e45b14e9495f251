#include "imapd/cmd.h"

#include <inttypes.h>
#include <stdlib.h>

#include "imapd/mailbox.h"
#include "imapd/msgset.h"
#include "imapd/parse_args.h"
#include "imapd/watch.h"
#include "storage/msg.h"

/* RFC 4315 3: COPYUID uidvalidity from to; NULL when nothing was copied. */
static const char *
uid_code(struct client *c, const struct msg_copied *done)
{
	struct buf b;
	const char *code;

	if (done->n == 0)
		return NULL;
	buf_init(&b, 64 << 20);
	buf_printf(&b, "COPYUID %" PRIu32 " ", done->uidvalidity);
	seqset_write(&b, done->from, done->n);
	buf_add_char(&b, ' ');
	seqset_write(&b, done->to, done->n);
	code = arena_str(&c->arena, buf_slice(&b));
	buf_fini(&b);
	return code;
}

static enum step
finish(struct client *c, bool move, const struct msg_copied *done)
{
	const char *code = uid_code(c, done);

	if (!move)
		return cmd_ok_code(c, code, "copied");
	/* RFC 6851 4.3: before the EXPUNGEs, so that the UIDs mean
	 * something. */
	if (code != NULL)
		resp_tagged(&c->out, SLICE("*"), RESP_OK, code, "moved");
	c->cmd.tells_modseq = true;
	return cmd_ok(c, "moved");
}

/* RFC 4314 4: flags he could not set there do not come along. */
static unsigned
copy_how(unsigned rights)
{
	unsigned how = MSG_COPY;

	if (!(rights & RIGHT_SEEN))
		how |= MSG_COPY_NO_SEEN;
	if (!(rights & RIGHT_DELETE))
		how |= MSG_COPY_NO_DELETED;
	if (!(rights & RIGHT_WRITE))
		how |= MSG_COPY_NO_OTHERS;
	return how;
}

static enum step
transfer(struct client *c, bool move)
{
	const struct args_copy *a = c->cmd.args;
	struct store *s = client_store(c);
	struct msg_copied done = { 0 };
	struct folder_info info;
	struct uid_list uids;
	enum step step;
	int rc;

	if (move && c->sel->read_only)
		return cmd_no(c, "READ-ONLY", "the folder is read-only");
	/* RFC 6851 4.2: what STORE \Deleted and EXPUNGE need. */
	if (move && (~c->sel->rights & (RIGHT_DELETE | RIGHT_EXPUNGE)) != 0)
		return cmd_fail(c, ERR_DENIED, NULL);
	if (!msgset_uids(c, &a->set, c->cmd.uid, &uids))
		return cmd_bad(c, "no such message");
	rc = mailbox_find(c, a->name, RIGHT_INSERT, &info);
	if (rc == 0 && uids.n != 0) {
		rc = msg_copy(s, view_account(c->sel->view),
		    view_folder(c->sel->view), uids.v, uids.n, info.account,
		    info.id, copy_how(info.rights) | (move ? MSG_MOVE : 0),
		    &done);
		c->job.durable = done.n != 0 || rc == 0;
		watch_own_messages(c, info.id, done.to, done.n);
	}
	if (rc == ERR_NOTFOUND)
		step = cmd_no(c, "TRYCREATE", "no such folder");
	else if (rc != 0)
		step = cmd_fail(c, rc, NULL);
	else
		step = finish(c, move, &done);
	msg_copied_fini(&done);
	free(uids.v);
	return step;
}

/* RFC 9051 6.4.7 */
enum step
cmd_copy(struct client *c)
{
	return transfer(c, false);
}

/* RFC 6851 3 */
enum step
cmd_move(struct client *c)
{
	return transfer(c, true);
}
