#include "imapd/cmd.h"

#include <inttypes.h>
#include <stdlib.h>

#include "imapd/capability.h"
#include "imapd/mailbox.h"
#include "imapd/msgset.h"
#include "imapd/opened.h"
#include "imapd/parse_args.h"
#include "imapd/qresync.h"
#include "imapd/status.h"
#include "storage/generation.h"

/* What a SELECT is still to tell (RFC 7162 3.2.5). */
struct select_run {
	uint32_t at; /* qresync_step() */
};

/* RFC 9051 6.3.2 */
static void
tell_folder(struct client *c)
{
	struct view *v = c->sel->view;
	struct buf *out = &c->out;
	uint32_t unseen = view_first_unseen(v);
	bool rev2 = (c->enabled & EN_REV2) != 0;

	resp_number(out, view_count(v), "EXISTS");
	if (!rev2)
		resp_number(out, view_recent(v), "RECENT");
	if (unseen != 0 && !(c->enabled & (EN_REV2 | EN_UIDONLY)))
		resp_ok_code(out, "first unseen", "UNSEEN %" PRIu32, unseen);
	resp_ok_code(
	    out, "UIDs valid", "UIDVALIDITY %" PRIu32, view_uidvalidity(v));
	resp_ok_code(out, "next UID", "UIDNEXT %" PRIu32, view_uidnext(v));
	if (caps_offers(c, "OBJECTID")) /* RFC 8474 4.2 */
		resp_ok_code(
		    out, "its id", "MAILBOXID (F%" PRIu64 ")", view_folder(v));
	if (caps_offers(c, "CONDSTORE")) /* RFC 7162 3.1.2.1 */
		resp_ok_code(
		    out, "highest", "HIGHESTMODSEQ %" PRIu64, view_modseq(v));
}

static enum step
selected(struct client *c)
{
	ph_assert(c->sel != NULL);
	return c->sel->read_only ? cmd_ok_code(c, "READ-ONLY", "examined")
				 : cmd_ok_code(c, "READ-WRITE", "selected");
}

/* More of what QRESYNC has to tell. */
static enum step
resync(struct client *c, const struct args_select *a)
{
	struct select_run *run = c->cmd.run;

	ph_assert(c->sel != NULL);
	if (a->qresync && a->uidvalidity == view_uidvalidity(c->sel->view) &&
	    qresync_step(c, a, &run->at) == STEP_AGAIN)
		return STEP_AGAIN;
	return selected(c);
}

static void
tell_opened(struct client *c, const struct args_select *a,
    const struct folder_info *info)
{
	if (a->condstore)
		c->enabled |= EN_CONDSTORE;
	sync_tell_flags(c);
	tell_folder(c);
	if (c->enabled & EN_REV2)
		status_list_line(c, a->name, info);
	c->cmd.run = arena_alloc(&c->arena, sizeof(struct select_run));
}

static enum step
open_folder(struct client *c, bool read_only)
{
	const struct args_select *a = c->cmd.args;
	bool had_one = c->sel != NULL && c->sel->view != NULL;
	uint64_t generation = generation_of(client_store(c), c->who.account);
	struct folder_info info;
	int rc;

	if (c->cmd.run != NULL)
		return resync(c, a);
	if (a->qresync && !(c->enabled & EN_QRESYNC)) /* RFC 7162 3.2.5 */
		return cmd_bad(c, "ENABLE QRESYNC first");
	/* RFC 9051 6.3.2: the old one is closed whatever comes. */
	sync_deselect(c);
	if (had_one) /* RFC 7162 3.2.11, RFC 9051 7.1 */
		resp_ok_code(&c->out, "the folder before is closed", "CLOSED");
	if ((rc = mailbox_find(c, a->name, RIGHT_READ, &info)) != 0 ||
	    (rc = sync_select(c, &info, read_only)) != 0)
		return cmd_fail(c, rc, NULL);
	ph_assert(c->sel != NULL);
	sync_remember(c, &info, generation);
	sync_load_keywords(c);
	tell_opened(c, a, &info);
	return resync(c, a);
}

/* The folder that is selected, once more, or one that this loop knows, and
 * nothing about it or its name has changed: then all of it is known. */
static bool
open_again(struct client *c, bool read_only)
{
	const struct args_select *a = c->cmd.args;
	bool had_one = c->sel != NULL && c->sel->view != NULL;
	const struct opened *known;
	struct folder_info info;

	if (a->qresync)
		return false;
	if (!sync_remembers(c, a->name, &info) ||
	    !sync_select_again(c, read_only)) {
		known = opened_find(c, a->name);
		if (known == NULL || !sync_select_known(c, known, read_only))
			return false;
		info = known->info;
		info.name = a->name;
	}
	if (had_one)
		resp_ok_code(&c->out, "the folder before is closed", "CLOSED");
	tell_opened(c, a, &info);
	return true;
}

bool
cmd_select_at_once(struct client *c)
{
	return open_again(c, false);
}

bool
cmd_examine_at_once(struct client *c)
{
	return open_again(c, true);
}

enum step
cmd_select(struct client *c)
{
	return open_folder(c, false);
}

enum step
cmd_examine(struct client *c)
{
	return open_folder(c, true);
}

enum step
cmd_unselect(struct client *c)
{
	sync_deselect(c);
	return cmd_ok(c, "no folder selected");
}

/* Expunges what has \Deleted among uids; NULL: all. */
static int
expunge(struct client *c, const uint32_t *uids, size_t n)
{
	c->job.durable = true;
	c->cmd.tells_modseq = true; /* RFC 7162 3.2.7 */
	return msg_expunge(client_store(c), view_account(c->sel->view),
	    view_folder(c->sel->view), uids, n, true, NULL);
}

/* RFC 9051 6.4.1: expunges, and says nothing about it. */
enum step
cmd_close(struct client *c)
{
	/* RFC 4314 4: without the right nothing is expunged, and closed it
	 * is. */
	bool may = !c->sel->read_only && c->sel->rights & RIGHT_EXPUNGE;
	int rc = may ? expunge(c, NULL, 0) : 0;

	sync_deselect(c);
	return rc == 0 ? cmd_ok(c, "closed") : cmd_fail(c, rc, NULL);
}

enum step
cmd_expunge(struct client *c)
{
	int rc;

	if (c->sel->read_only)
		return cmd_no(c, "READ-ONLY", "the folder is read-only");
	if (!(c->sel->rights & RIGHT_EXPUNGE))
		return cmd_fail(c, ERR_DENIED, NULL);
	rc = expunge(c, NULL, 0);
	return rc == 0 ? cmd_ok(c, "expunged") : cmd_fail(c, rc, NULL);
}

/* RFC 4315 2.1 */
enum step
cmd_uid_expunge(struct client *c)
{
	const struct args_set *a = c->cmd.args;
	struct uid_list uids;
	int rc;

	if (c->sel->read_only)
		return cmd_no(c, "READ-ONLY", "the folder is read-only");
	if (!(c->sel->rights & RIGHT_EXPUNGE))
		return cmd_fail(c, ERR_DENIED, NULL);
	if (!msgset_uids(c, &a->set, true, &uids))
		return cmd_bad(c, "no such message");
	rc = uids.n != 0 ? expunge(c, uids.v, uids.n) : 0;
	free(uids.v);
	return rc == 0 ? cmd_ok(c, "expunged") : cmd_fail(c, rc, NULL);
}
