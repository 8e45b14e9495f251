#include "imapd/status.h"

#include <inttypes.h>
#include <stdlib.h>

#include "imapd/cmd.h"
#include "imapd/mboxname.h"
#include "imapd/parse_args.h"
#include "lib/base/mem.h"
#include "storage/msg.h"

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
	rc = view_open(client_store(c), info->account, info->id, true, &v);
	if (rc != 0)
		return rc;
	*out = view_count(v) + 1 - view_seq_from(v, st->recent_from);
	view_close(&v);
	return 0;
}

/* The bytes an EXPUNGE would free: asked of the index, for those alone. */
static int
sum_deleted(struct client *c, const struct view *v, uint64_t *out)
{
	uint32_t *uids, count = view_count(v);
	struct msg_iter *it = NULL;
	struct msg_meta meta;
	struct view_msg m;
	size_t n = 0;
	int rc = 0;

	uids = xcalloc((size_t)count + 1, sizeof(*uids));
	for (uint32_t seq = 1; seq <= count; seq++) {
		view_get(v, seq, &m);
		if (m.flags & MSG_DELETED)
			uids[n++] = m.uid;
	}
	if (n != 0)
		rc = msg_iter_open(client_store(c), view_account(v),
		    view_folder(v), uids, n, 0, MSG_WANT_INFO, &it);
	while (n != 0 && rc == 0 && (rc = msg_iter_next(it, &meta)) == 0)
		*out += meta.size;
	msg_iter_close(&it);
	free(uids);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* RFC 9208 4.1.4 */
static int
deleted_bytes(struct client *c, const struct folder_info *info, uint64_t *out)
{
	struct view *v = NULL;
	int rc;

	*out = 0;
	if (info->status.deleted == 0)
		return 0;
	rc = view_open(client_store(c), info->account, info->id, true, &v);
	if (rc == 0)
		rc = sum_deleted(c, v, out);
	view_close(&v);
	return rc;
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

static void
head(struct client *c, const struct folder_info *info)
{
	buf_add_str(&c->out, "* STATUS ");
	mboxname_write(&c->out, info->name, client_utf8(c));
	buf_add_str(&c->out, " (");
}

void
status_line(struct client *c, const struct folder_info *info, unsigned items)
{
	head(c, info);
	numbers(c, &c->out, &info->status, items, 0);
	buf_truncate(&c->out, buf_len(&c->out) - 1);
	buf_add_str(&c->out, ")\r\n");
}

int
status_write(struct client *c, const struct folder_info *info, unsigned items)
{
	struct buf *out = &c->out;
	uint32_t recent = 0;
	uint64_t deleted = 0;
	int rc;

	if (items & ST_RECENT && (rc = count_recent(c, info, &recent)) != 0)
		return rc;
	if (items & ST_DELETED_STORAGE &&
	    (rc = deleted_bytes(c, info, &deleted)) != 0)
		return rc;
	if (items & ST_HIGHESTMODSEQ) /* RFC 7162 3.1.7 */
		sync_condstore(c);
	head(c, info);
	numbers(c, out, &info->status, items, recent);
	if (items & ST_DELETED_STORAGE)
		item(out, "DELETED-STORAGE", deleted);
	if (items & ST_MAILBOXID) /* RFC 8474 4.3 */
		buf_printf(out, "MAILBOXID (F%" PRIu64 ") ", info->id);
	buf_truncate(out, buf_len(out) - 1);
	buf_add_str(out, ")\r\n");
	return 0;
}

void
status_list_line(
    struct client *c, struct slice named, const struct folder_info *info)
{
	struct slice name = mboxname_normal(&c->arena, named);
	const char *use = resp_use(info->use);
	struct buf *out = &c->out;

	buf_printf(out, "* LIST (\\Has%sChildren%s%s) \"/\" ",
	    info->has_children ? "" : "No", use != NULL ? " " : "",
	    use != NULL ? use : "");
	mboxname_write(out, name, client_utf8(c));
	if (!slice_eq(name, named)) { /* RFC 9051 6.3.9.7 */
		buf_add_str(out, " (\"OLDNAME\" (");
		mboxname_write(out, named, client_utf8(c));
		buf_add_str(out, "))");
	}
	buf_add(out, "\r\n", 2);
}
