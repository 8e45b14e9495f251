#include "imapd/cmd.h"

#include <inttypes.h>

#include "imapd/capability.h"
#include "imapd/mailbox.h"
#include "imapd/mboxname.h"
#include "imapd/parse_args.h"
#include "imapd/status.h"
#include "imapd/watch.h"

/* The end of a command that changed folders. */
static enum step
changed(struct client *c, int rc, const struct err *e, const char *text)
{
	c->job.durable = rc == 0;
	return rc == 0 ? cmd_ok(c, text) : cmd_fail(c, rc, e->text);
}

/* RFC 9051 6.3.4 */
enum step
cmd_create(struct client *c)
{
	const struct args_name *a = c->cmd.args;
	struct folder_info info;
	struct mailbox_place at;
	struct err e = { 0 };
	int rc = mailbox_place(c, a->name, &at);

	/* Special uses are the owner's alone. */
	if (rc == 0 && a->use != USE_NONE && at.account != c->who.account)
		rc = ERR_UNSUPPORTED;
	if (rc == 0)
		rc = folder_create(
		    client_store(c), at.account, at.name, a->use, &info, &e);
	(void)changed(c, rc, &e, "created");
	if (rc == 0)
		watch_own_name(c, a->name, OWN_ABOVE);
	if (rc == ERR_UNSUPPORTED) /* RFC 6154 3 */
		c->cmd.code = "USEATTR";
	if (rc == 0 && c->enabled & EN_REV2 &&
	    !slice_eq(a->name, mboxname_normal(&c->arena, a->name)))
		status_list_line(c, a->name, &info);
	if (rc == 0 && caps_offers(c, "OBJECTID")) /* RFC 8474 4.1 */
		c->cmd.code = arena_printf(
		    &c->arena, "MAILBOXID (F%" PRIu64 ")", info.id);
	return STEP_DONE;
}

/* RFC 9051 6.3.5 */
enum step
cmd_delete(struct client *c)
{
	const struct args_name *a = c->cmd.args;
	struct folder_info info;
	struct err e = { 0 };
	int rc = mailbox_find(c, a->name, RIGHT_REMOVE, &info);

	if (rc == 0)
		rc = folder_delete(
		    client_store(c), info.account, mailbox_local(a->name), &e);
	/* Whoever deletes what he looks at looks at nothing any more. */
	if (rc == 0 && c->sel != NULL && c->sel->view != NULL &&
	    view_folder(c->sel->view) == info.id) {
		sync_deselect(c);
		resp_ok_code(&c->out, "the folder was selected", "CLOSED");
	}
	if (rc == 0)
		watch_own_name(c, a->name, OWN_ALONE);
	return changed(c, rc, &e, "deleted");
}

/* RFC 9051 6.3.6 */
enum step
cmd_rename(struct client *c)
{
	const struct args_rename *a = c->cmd.args;
	struct mailbox_place at;
	struct folder_info info;
	struct err e = { 0 };
	int rc = mailbox_find(c, a->from, RIGHT_REMOVE, &info);

	if (rc == 0)
		rc = mailbox_place(c, a->to, &at);
	if (rc == 0 && at.account != info.account)
		rc = err_set(&e, ERR_UNSUPPORTED,
		    "a folder stays with its owner: copy the messages");
	if (rc == 0)
		rc = folder_rename(client_store(c), info.account,
		    mailbox_local(a->from), at.name, &e);

	if (rc == 0) {
		watch_own_name(c, a->from, OWN_BELOW);
		watch_own_name(c, a->to, OWN_BELOW);
	}
	return changed(c, rc, &e, "renamed");
}

static enum step
subscribe(struct client *c, bool on)
{
	const struct args_name *a = c->cmd.args;
	struct err e = { 0 };
	int rc =
	    folder_subscribe(client_store(c), c->who.account, a->name, on, &e);

	if (rc == 0)
		watch_own_name(c, a->name, OWN_ALONE);
	return changed(c, rc, &e, on ? "subscribed" : "unsubscribed");
}

/* RFC 9051 6.3.7, 6.3.8 */
enum step
cmd_subscribe(struct client *c)
{
	return subscribe(c, true);
}

enum step
cmd_unsubscribe(struct client *c)
{
	return subscribe(c, false);
}

/* RFC 9051 6.3.11 */
enum step
cmd_status(struct client *c)
{
	const struct args_status *a = c->cmd.args;
	struct folder_info info;
	int rc = mailbox_find(c, a->name, RIGHT_READ, &info);

	if (rc == 0) {
		info.name = a->name;
		rc = status_write(c, &info, a->items);
	}
	return rc == 0 ? cmd_ok(c, "that is its status")
		       : cmd_fail(c, rc, NULL);
}
