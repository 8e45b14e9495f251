#include "imapd/cmd.h"

#include <inttypes.h>

#include "imapd/mailbox.h"
#include "imapd/mboxname.h"
#include "imapd/metadata_out.h"
#include "imapd/watch.h"

static const struct slice special_use = SLICE("/private/specialuse");

/* The folder, with rights to see what is noted of it (RFC 5464 3.3). */
static int
find(struct client *c, struct slice name, struct folder_info *info)
{
	int rc = mailbox_find(c, name, RIGHT_LOOKUP, info);

	return rc == 0 && !metadata_may_see(info) ? ERR_DENIED : rc;
}

/* RFC 5464 4.2 */
enum step
cmd_getmetadata(struct client *c)
{
	const struct args_getmetadata *a = c->cmd.args;
	struct metadata_ask ask = { .entries = a->entries,
		.n = a->n,
		.depth = a->depth,
		.has_maxsize = a->has_maxsize,
		.maxsize = a->maxsize };
	bool server = a->name.n == 0;
	struct folder_info info;
	int rc = server ? 0 : find(c, a->name, &info);

	if (rc == 0)
		rc = metadata_write(c, a->name, server ? NULL : &info, &ask);
	if (rc != 0)
		return cmd_fail(c, rc, NULL);
	if (ask.longest == 0)
		return cmd_ok(c, "those are the values");
	return cmd_ok_code(c,
	    arena_printf(
		&c->arena, "METADATA LONGENTRIES %" PRIu64, ask.longest),
	    "some are longer");
}

/* What a SETMETADATA changes. */
struct change {
	struct client *c;
	const struct args_setmetadata *a;
	struct folder_info info; /* of a folder */
	struct metadata *v;
	size_t n;
	bool has_use;
	struct metadata_use use;
};

/* RFC 6154 4: one of the uses there are, or NIL. */
static bool
take_use(struct change *w, struct slice value)
{
	w->has_use = true;
	w->use.name = mailbox_local(w->a->name);
	w->use.use = USE_NONE;
	if (value.n == 0)
		return true;
	for (int u = USE_ARCHIVE; u <= USE_TRASH; u++)
		if (slice_ieq_str(value, resp_use((enum folder_use)u))) {
			w->use.use = (enum folder_use)u;
			return true;
		}
	return false;
}

/* One entry; STEP_AGAIN: it is good, look at the next. */
static enum step
look_at(struct change *w, const struct metadata *m)
{
	uint64_t max = client_conf(w->c)->imap_metadata_max;
	bool server = w->a->name.n == 0;

	if (m->value.n > max)
		return cmd_no(w->c,
		    arena_printf(
			&w->c->arena, "METADATA MAXSIZE %" PRIu64, max),
		    "the value is too long");
	if (server && !metadata_is_private(m->name))
		return cmd_no(
		    w->c, "NOPERM", "shared entries are the operator's");
	/* Readers may look at what is shared, not change it. */
	if (!server && !metadata_is_private(m->name) &&
	    !(w->info.rights & RIGHT_WRITE))
		return cmd_no(w->c, "NOPERM", "this needs the right w");
	if (server || !slice_ieq(m->name, special_use)) {
		w->v[w->n++] = *m;
		return STEP_AGAIN;
	}
	if (w->info.account != w->c->who.account)
		return cmd_no(
		    w->c, "METADATA NOPRIVATE", "the folder is another's");
	if (!take_use(w, m->value))
		return cmd_no(
		    w->c, "USEATTR", "this special use is not supported");
	return STEP_AGAIN;
}

static enum step
failed(struct client *c, int rc)
{
	if (rc == ERR_LIMIT)
		return cmd_no(c, "METADATA TOOMANY", "too many entries");
	if (rc == ERR_QUOTA)
		return cmd_no(c, "OVERQUOTA", "too much in all");
	return cmd_fail(c, rc, NULL);
}

/* RFC 6154 4: the folder that had the use has it no more. */
static void
tell_lost(struct client *c, const struct metadata_use *use)
{
	if (use->lost_n == 0)
		return;
	buf_add_str(&c->out, "* METADATA ");
	mboxname_write(
	    &c->out, slice_of(use->lost, use->lost_n), client_utf8(c));
	buf_add_str(&c->out, " (/private/specialuse NIL)\r\n");
}

/* RFC 5464 4.3: all of them, or none. */
enum step
cmd_setmetadata(struct client *c)
{
	const struct args_setmetadata *a = c->cmd.args;
	struct metadata_at at = { .user = c->who.account };
	struct change w = { .c = c, .a = a };
	bool server = a->name.n == 0;
	int rc = server ? 0 : find(c, a->name, &w.info);

	if (rc != 0)
		return cmd_fail(c, rc, NULL);
	at.folder = server ? 0 : w.info.id;
	at.owner = server ? c->who.account : w.info.account;
	w.v = arena_alloc(&c->arena, a->n * sizeof(*w.v) + 1);
	for (size_t i = 0; i < a->n; i++)
		if (look_at(&w, &a->v[i]) == STEP_DONE)
			return STEP_DONE;
	rc = metadata_set(
	    client_store(c), &at, w.v, w.n, w.has_use ? &w.use : NULL);
	if (rc != 0)
		return failed(c, rc);
	if (w.has_use)
		tell_lost(c, &w.use);
	for (size_t i = 0; i < w.n; i++)
		watch_own_note(c, at.folder, w.v[i].name);
	c->job.durable = true;
	return cmd_ok(c, "noted");
}
