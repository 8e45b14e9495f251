#include "imapd/status.h"

#include <inttypes.h>

#include "imapd/cmd.h"
#include "imapd/mboxname.h"
#include "imapd/parse_args.h"

/* How many messages the next session would find \Recent. */
static int
count_recent(struct client *c, const struct folder_info *info, uint32_t *out)
{
	const struct folder_status *st = &info->status;
	struct view *v = NULL;
	int rc;

	*out = 0;
	if (c->sel != NULL && c->sel->view != NULL &&
	    view_folder(c->sel->view) == info->id) {
		*out = view_recent(c->sel->view);
		return 0;
	}
	if (st->messages == 0 || st->recent_from >= st->uidnext)
		return 0;
	rc = view_open(client_store(c), c->who.account, info->id, true, &v);
	if (rc != 0)
		return rc;
	*out = view_count(v) + 1 - view_seq_from(v, st->recent_from);
	view_close(&v);
	return 0;
}

static void
item(struct buf *out, const char *name, uint64_t value)
{
	buf_add_str(out, name);
	buf_add_char(out, ' ');
	buf_add_u64(out, value);
	buf_add_char(out, ' ');
}

static void
numbers(struct client *c, struct buf *out, const struct folder_status *st,
    unsigned items, uint32_t recent)
{
	const struct {
		unsigned item;
		const char *name;
		uint64_t value;
	} all[] = {
		{ ST_MESSAGES, "MESSAGES", st->messages },
		{ ST_RECENT, "RECENT", recent },
		{ ST_UIDNEXT, "UIDNEXT", st->uidnext },
		{ ST_UIDVALIDITY, "UIDVALIDITY", st->uidvalidity },
		{ ST_UNSEEN, "UNSEEN", st->unseen },
		{ ST_HIGHESTMODSEQ, "HIGHESTMODSEQ", st->highestmodseq },
		{ ST_SIZE, "SIZE", st->bytes },
		{ ST_DELETED, "DELETED", st->deleted },
		{ ST_APPENDLIMIT, "APPENDLIMIT", client_conf(c)->message_max },
	};

	for (size_t i = 0; i < PH_LEN(all); i++)
		if (items & all[i].item)
			item(out, all[i].name, all[i].value);
}

int
status_write(struct client *c, const struct folder_info *info, unsigned items)
{
	struct buf *out = &c->out;
	uint32_t recent = 0;
	int rc;

	if (items & ST_RECENT && (rc = count_recent(c, info, &recent)) != 0)
		return rc;
	if (items & ST_HIGHESTMODSEQ) /* RFC 7162 3.1.7 */
		sync_condstore(c);
	buf_add_str(out, "* STATUS ");
	mboxname_write(out, info->name, client_utf8(c));
	buf_add_str(out, " (");
	numbers(c, out, &info->status, items, recent);
	if (items & ST_MAILBOXID) /* RFC 8474 4.3 */
		buf_printf(out, "MAILBOXID (F%" PRIu64 ") ", info->id);
	buf_truncate(out, buf_len(out) - 1);
	buf_add_str(out, ")\r\n");
	return 0;
}
