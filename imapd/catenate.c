#include "imapd/catenate.h"

#include <inttypes.h>
#include <stdlib.h>

#include "imapd/append.h"
#include "imapd/cmd.h"
#include "imapd/fetch.h"
#include "imapd/mailbox.h"
#include "imapd/parse_url.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
	CHUNK = 128 << 10,
	SLICE_US = 30000, /* of one job, before others have a turn */
	FIELDS_MAX = 16 << 20,
	SHOWN_MAX = 500 /* of a bad URL */
};

struct catenate {
	struct spool *out;
	uint64_t *ends;
	struct slice literals; /* all, in order */
	uint64_t at;           /* of them */
	size_t msg, part;
	uint64_t size; /* of the message so far */
	/* the URL being copied */
	bool open;
	struct fetch_run r;
	struct arena arena;
	uint64_t off, left;
};

void
catenate_free(struct catenate **cp)
{
	struct catenate *k = *cp;

	*cp = NULL;
	if (k == NULL)
		return;
	spool_free(&k->out);
	arena_clear(&k->r.scratch);
	arena_clear(&k->arena);
	free(k->ends);
	free(k);
}

/* ---- refusing ---- */

/* RFC 4469 4.1: the URL as it came, as far as a response code can hold it. */
static void
bad_url(struct client *c, struct slice url, const char *why)
{
	struct buf b;

	buf_init(&b, SHOWN_MAX * 2);
	buf_add_str(&b, "BADURL \"");
	for (size_t i = 0; i < url.n && i < SHOWN_MAX; i++) {
		unsigned char ch = (unsigned char)url.p[i];

		if (ch > ' ' && ch < 0x7f && ch != ']' && ch != '"' &&
		    ch != '\\')
			buf_add_char(&b, (char)ch);
	}
	buf_add_char(&b, '"');
	(void)cmd_no(c, arena_str(&c->arena, buf_slice(&b)), why);
	buf_fini(&b);
}

static bool
add(struct client *c, struct catenate *k, struct slice bytes)
{
	int rc;

	k->size += bytes.n;
	if (k->size > client_conf(c)->message_max) {
		(void)cmd_no(c, "TOOBIG", "the message is too large");
		return false;
	}
	rc = spool_add(k->out, bytes);
	if (rc == 0 && spool_wants_spill(k->out))
		rc = spool_spill(k->out);
	if (rc != 0)
		(void)cmd_fail(c, rc, NULL);
	return rc == 0;
}

/* ---- URLs ---- */

/* RFC 3986 5.2: relative to the folder beside which the selected one lies. */
static int
full_name(struct client *c, struct catenate *k, const struct imap_url *u,
    struct slice *out)
{
	struct folder_info *infos;
	size_t n, up;
	int rc;

	*out = u->mailbox;
	if (u->absolute || c->state != IS_SELECTED)
		return 0;
	rc = folder_list(
	    client_store(c), c->who.account, false, &k->arena, &infos, &n);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct slice name = infos[i].name;

		if (infos[i].id != view_folder(c->sel->view))
			continue;
		up = slice_rchr(name, '/');
		if (up != name.n)
			*out = slice_str(arena_printf(&k->arena, "%.*s/%.*s",
			    (int)up, name.p, (int)u->mailbox.n, u->mailbox.p));
	}
	return rc;
}

static int
find_folder(struct client *c, struct catenate *k, const struct imap_url *u,
    struct folder_info *info)
{
	struct slice name;
	int rc;

	if (u->mailbox.n == 0) {
		if (c->state != IS_SELECTED)
			return ERR_NOTFOUND;
		info->id = view_folder(c->sel->view);
		info->account = view_account(c->sel->view);
		return folder_status_get(
		    client_store(c), info->id, &info->status);
	}
	if ((rc = full_name(c, k, u, &name)) != 0)
		return rc;
	return mailbox_find(c, name, RIGHT_READ, info);
}

/* The bytes are written at once, or k->off and k->left are set. */
static bool
open_section(struct client *c, struct catenate *k, const struct imap_url *u)
{
	uint64_t off = 0, len = k->r.meta.size, skip;
	struct buf fields;
	bool good;

	if (u->section != NULL && u->section->fields != FIELDS_ALL) {
		struct slice s;

		buf_init(&fields, FIELDS_MAX);
		good = fetch_fields(&k->r, u->section, &fields) &&
		       !buf_failed(&fields);
		s = buf_slice(&fields);
		if (good && u->partial)
			s = slice_sub(s, u->off < s.n ? (size_t)u->off : s.n,
			    u->len != 0 && u->len < s.n ? (size_t)u->len : s.n);
		good = good && add(c, k, s);
		buf_fini(&fields);
		k->left = 0;
		return good;
	}
	if (u->section != NULL && !fetch_locate(&k->r, u->section, &off, &len))
		return false;
	skip = u->partial && u->off < len ? u->off : u->partial ? len : 0;
	k->off = off + skip;
	k->left = len - skip;
	if (u->len != 0 && k->left > u->len)
		k->left = u->len;
	return true;
}

static bool
open_url(struct client *c, struct catenate *k, struct slice text)
{
	struct folder_info info = { 0 };
	struct imap_url u;
	int rc;

	if (!url_parse(&k->arena, text, &u)) {
		bad_url(c, text, "that is no URL of a message here");
		return false;
	}
	rc = find_folder(c, k, &u, &info);
	if (rc == 0 && u.uidvalidity != 0 &&
	    u.uidvalidity != info.status.uidvalidity)
		rc = ERR_NOTFOUND;
	if (rc == 0)
		rc = msg_meta_get(client_store(c), info.account, info.id, u.uid,
		    &k->arena, &k->r.meta);
	if (rc != 0 && rc != ERR_NOTFOUND && rc != ERR_DENIED) {
		(void)cmd_fail(c, rc, NULL);
		return false;
	}
	k->r.c = c;
	k->r.folder = info.id;
	k->r.m.uid = u.uid;
	k->open = true;
	if (rc == 0 && open_section(c, k, &u))
		return true;
	if (c->cmd.text == NULL)
		bad_url(c, text, "no such message or part");
	return false;
}

static bool
copy_chunk(struct client *c, struct catenate *k)
{
	size_t n = k->left < CHUNK ? (size_t)k->left : CHUNK;
	struct buf b;
	int rc;

	buf_init(&b, CHUNK);
	rc = msg_read(client_store(c), &k->r.meta, k->off, n, &b);
	if (rc == 0 && buf_len(&b) != n)
		rc = ERR_CORRUPT;
	if (rc != 0)
		(void)cmd_fail(c, rc, NULL);
	else if (!add(c, k, buf_slice(&b)))
		rc = ERR_TOOBIG;
	buf_fini(&b);
	k->off += n;
	k->left -= n;
	return rc == 0;
}

static void
close_url(struct catenate *k)
{
	arena_clear(&k->r.scratch);
	k->r = (struct fetch_run){ 0 };
	arena_clear(&k->arena);
	k->open = false;
}

/* A piece of this part.  *more: it is not whole yet. */
static bool
go_on(struct client *c, struct catenate *k, const struct append_part *part,
    bool *more)
{
	*more = false;
	if (!part->is_url) {
		k->at += part->size;
		return add(c, k,
		    slice_sub(k->literals, k->at - part->size, part->size));
	}
	if (!k->open && !open_url(c, k, part->url))
		return false;
	if (k->left != 0 && !copy_chunk(c, k))
		return false;
	*more = k->left != 0;
	if (!*more)
		close_url(k);
	return true;
}

/* ---- all of it ---- */

static int
begin(struct client *c, const struct args_append *a, struct catenate **cat)
{
	const struct conf *conf = client_conf(c);
	struct catenate *k = xcalloc(1, sizeof(*k));

	*cat = k;
	arena_init(&k->arena);
	k->ends = xcalloc(a->n, sizeof(*k->ends));
	k->out = spool_new(client_store(c), conf->message_memory,
	    conf->message_max * APPEND_TOTAL_TIMES);
	return c->append != NULL ? spool_bytes(c->append->spool, &k->literals)
				 : 0;
}

/* What was put together takes the literals' place. */
static void
take_place(struct client *c, const struct args_append *a, struct catenate *k)
{
	append_replace(c, k->out, k->ends, a->n);
	k->out = NULL;
	k->ends = NULL;
}

enum step
catenate_step(struct client *c, const struct args_append *a,
    struct catenate **cat, bool *failed)
{
	uint64_t until = clock_steady_us() + SLICE_US;
	struct catenate *k = *cat;
	bool more;
	int rc;

	*failed = true;
	if (k == NULL) {
		if ((rc = begin(c, a, cat)) != 0)
			return cmd_fail(c, rc, NULL);
		k = *cat;
	}
	while (k->msg < a->n) {
		const struct append_msg *m = &a->v[k->msg];

		if (!go_on(c, k, &m->parts[k->part], &more))
			return STEP_DONE;
		if (!more && ++k->part == m->nparts) {
			k->ends[k->msg++] = spool_size(k->out);
			k->part = 0;
			k->size = 0;
		}
		if (clock_steady_us() > until)
			return STEP_AGAIN;
	}
	*failed = false;
	take_place(c, a, k);
	return STEP_DONE;
}
