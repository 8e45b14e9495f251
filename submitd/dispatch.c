#include "submitd/dispatch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/mail/header.h"
#include "storage/folder.h"
#include "submitd/forward.h"

enum { KEY_MAX = 4096 };

/* "+detail" names a folder when there is one, in either case of its first
 * letter; else INBOX (0). */
static uint64_t
detail_folder(struct store *s, uint64_t account, struct slice detail)
{
	struct folder_info info;
	char name[FOLDER_NAME_MAX + 1];

	if (!slice_copy(detail, name, sizeof(name)) || name[0] == '\0')
		return 0;
	if (folder_find(s, account, slice_str(name), &info) == 0)
		return info.id;
	name[0] = ascii_upper(name[0]);
	return folder_find(s, account, slice_str(name), &info) == 0 ? info.id
								    : 0;
}

/* "X-Spam-Flag: YES": has a filter before us said so? */
static bool
is_junk(const struct dispatch_in *in)
{
	struct slice value = slice_str(in->srv->conf->junk_header);
	struct slice name, found;

	if (in->account != 0 || value.n == 0 ||
	    !slice_split(&value, ':', &name))
		return false;
	found = header_find(in->header, name);
	return found.p != NULL && slice_istarts(found, slice_trim(value));
}

/* The account's folder for it; 0: INBOX, which is all that POP3 programs
 * see. */
static uint64_t
junk_folder(struct dispatch *p, struct store *s, uint64_t account)
{
	struct folder_info *v;
	struct account ac;
	uint64_t id = 0;
	size_t n;

	if (account_get_id(s, account, &p->arena, &ac) != 0 ||
	    ac.junk_in_inbox ||
	    folder_list(s, account, false, &p->arena, &v, &n) != 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (v[i].use == USE_JUNK)
			id = v[i].id;
	return id;
}

/* One delivery an account, whatever its addresses.  Return-Path is RFC 5321
 * 4.4; Delivered-To is what loops are cut by. */
static void
add_account(struct dispatch *p, const struct dispatch_in *in,
    const struct envelope_rcpt *r, uint64_t account)
{
	struct store *s = in->srv->store;
	struct slice sender = in->env->sender;
	struct deliver_target *t;

	if (map_put_u64(&p->seen, account, p) != NULL)
		return;
	p->targets = mem_grow(
	    p->targets, &p->targets_cap, p->ntargets, sizeof(*p->targets));
	t = &p->targets[p->ntargets++];
	*t = (struct deliver_target){
		.account = account,
		.folder = detail_folder(s, account, r->route.detail),
		.prefix = slice_str(arena_printf(&p->arena,
		    "Return-Path: <%.*s>\r\nDelivered-To: %.*s\r\n",
		    (int)sender.n, sender.p, (int)r->addr.n, r->addr.p)),
	};
	if (p->junk && t->folder == 0)
		t->folder = junk_folder(p, s, account);
}

static struct slice
domain_of(struct slice addr)
{
	return slice_from(addr, slice_rchr(addr, '@') + 1);
}

static struct queue_row *
new_row(struct dispatch *p, const struct dispatch_in *in, struct slice sender)
{
	const struct envelope *env = in->env;
	struct queue_row *row;
	int64_t now = clock_wall_sec();

	p->queue =
	    mem_grow(p->queue, &p->queue_cap, p->nqueue, sizeof(*p->queue));
	p->queue[p->nqueue] = (struct queue_new){ 0 };
	row = &p->queue[p->nqueue++].row;
	row->account = in->account;
	row->sender = sender;
	row->envid = env->envid;
	row->msgid = in->msgid;
	row->flags = env->flags;
	row->state = QUEUE_QUEUED;
	row->created_at = row->next_at = now;
	if (env->hold_until > now) {
		row->state = QUEUE_SCHEDULED;
		row->next_at = env->hold_until;
		row->flags |= QUEUE_UNSENT;
	}
	row->expire_at =
	    row->next_at + (int64_t)(in->srv->conf->queue_expire / 1000);
	return row;
}

/* Doubles their room: most rows have one. */
static struct queue_rcpt *
new_rcpt(struct dispatch *p, struct queue_row *row)
{
	size_t n = row->nrcpts, cap = n == 0 ? 1 : 2 * n;
	struct queue_rcpt *v;

	if ((n & (n - 1)) == 0) {
		v = arena_alloc(&p->arena, cap * sizeof(*v));
		for (size_t i = 0; i < n; i++)
			v[i] = row->rcpts[i];
		row->rcpts = v;
	}
	return &row->rcpts[row->nrcpts++];
}

/* The row for this domain and sender with room for one more, perhaps a new
 * one.  What waits to be sent is not divided by domains yet. */
static struct queue_row *
row_for(struct dispatch *p, const struct dispatch_in *in, struct slice addr,
    struct slice sender)
{
	bool waits = in->env->hold_until > clock_wall_sec();
	struct queue_row *row;
	uintptr_t at;

	buf_clear(&p->key);
	buf_add_slice(&p->key, sender);
	buf_add_char(&p->key, '\0');
	if (!waits)
		buf_add_slice(&p->key, domain_of(addr));
	at = (uintptr_t)map_get(&p->rows, buf_slice(&p->key));
	if (at != 0 && p->queue[at - 1].row.nrcpts < QUEUE_RCPTS_MAX)
		return &p->queue[at - 1].row;
	row = new_row(p, in, sender);
	(void)map_put(&p->rows, buf_slice(&p->key), (void *)p->nqueue);
	return row;
}

static void
add_remote(struct dispatch *p, const struct dispatch_in *in,
    const struct envelope_rcpt *r, struct slice addr, struct slice sender)
{
	if (map_put(&p->remote, addr, p) != NULL)
		return;
	*new_rcpt(p, row_for(p, in, addr, sender)) = (struct queue_rcpt){
		.addr = addr, .orcpt = r->orcpt, .notify = r->notify
	};
}

static void
add_rcpt(
    struct dispatch *p, const struct dispatch_in *in, struct envelope_rcpt *r)
{
	struct slice sender = in->env->sender;

	if (r->rc != 0)
		return;
	if (in->env->hold_until > clock_wall_sec()) {
		add_remote(p, in, r, r->addr, sender);
		return;
	}
	for (size_t k = 0; k < r->route.naccounts; k++)
		add_account(p, in, r, r->route.accounts[k]);
	if (r->route.nremote == 0)
		return;
	if (forward_check(in, r, p->junk) != 0) {
		/* Who is here has it all the same. */
		if (r->route.naccounts == 0)
			r->rc = p->failed = ERR_DENIED;
		return;
	}
	sender = forward_sender(in, r, &p->arena);
	for (size_t k = 0; k < r->route.nremote; k++)
		add_remote(p, in, r, r->route.remote[k], sender);
}

void
dispatch_make(struct dispatch *p, const struct dispatch_in *in)
{
	*p = (struct dispatch){ .junk = is_junk(in), .msgid = in->msgid };
	buf_init(&p->key, KEY_MAX);
	for (size_t i = 0; i < in->env->nrcpts; i++)
		add_rcpt(p, in, &in->env->rcpts[i]);
	map_fini(&p->seen, NULL);
	map_fini(&p->remote, NULL);
	map_fini(&p->rows, NULL);
	buf_fini(&p->key);
}

/* "5,17": accounts from *at on, as many as fit. */
static void
put_accounts(const struct dispatch *p, size_t *at, char *out, size_t cap)
{
	size_t n = 0;

	while (*at < p->ntargets && n + 24 < cap)
		n += (size_t)snprintf(out + n, cap - n, "%s%" PRIu64,
		    n != 0 ? "," : "", p->targets[(*at)++].account);
}

static void
log_row(const struct dispatch *p, const struct queue_new *q, const char *id)
{
	const struct queue_row *row = &q->row;
	char row_id[24];

	queue_id_text(q->id, row_id);
	log_mail(row_id, "queue", "from-id=%s to=%s rcpts=%zu msgid=%s", id,
	    log_q(row->rcpts[0].addr), row->nrcpts, log_q(p->msgid));
	for (size_t i = 1; i < row->nrcpts; i++)
		log_trail(row_id, "queue", "from-id=%s to=%s", id,
		    log_q(row->rcpts[i].addr));
}

void
dispatch_log(const struct dispatch *p, const struct server *srv, const char *id)
{
	char accounts[800];

	figures_add(srv->figures, FIG_DELIVERED, p->ntargets);
	for (size_t at = 0; at < p->ntargets;) {
		put_accounts(p, &at, accounts, sizeof(accounts));
		log_trail(id, "deliver", "accounts=%s msgid=%s", accounts,
		    log_q(p->msgid));
	}
	for (size_t i = 0; i < p->nqueue; i++)
		log_row(p, &p->queue[i], id);
}

void
dispatch_fini(struct dispatch *p)
{
	free(p->targets);
	free(p->queue);
	arena_clear(&p->arena);
}
