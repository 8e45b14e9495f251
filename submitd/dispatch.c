#include "submitd/dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/mail/header.h"
#include "storage/folder.h"

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
is_junk(struct client *c)
{
	struct slice value = slice_str(c->s.sl->srv->conf->junk_header);
	struct slice name, bytes, found;

	if (c->role == ROLE_SUBMIT || c->spool == NULL || value.n == 0 ||
	    !slice_split(&value, ':', &name) ||
	    spool_bytes(c->spool, &bytes) != 0)
		return false;
	found = header_find(slice_sub(bytes, 0, header_end(bytes)), name);
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

static bool
has_account(const struct dispatch *p, uint64_t account)
{
	for (size_t i = 0; i < p->ntargets; i++)
		if (p->targets[i].account == account)
			return true;
	return false;
}

/* One delivery an account, whatever its addresses.  Return-Path is RFC 5321
 * 4.4; Delivered-To is what loops are cut by. */
static void
add_account(struct dispatch *p, struct client *c, struct store *s, size_t rcpt,
    uint64_t account)
{
	const struct envelope_rcpt *r = &c->env.rcpts[rcpt];
	struct deliver_target *t;

	if (has_account(p, account))
		return;
	p->targets = mem_grow(
	    p->targets, &p->targets_cap, p->ntargets, sizeof(*p->targets));
	t = &p->targets[p->ntargets++];
	*t = (struct deliver_target){
		.account = account,
		.folder = detail_folder(s, account, r->route.detail),
		.prefix = slice_str(arena_printf(&p->arena,
		    "Return-Path: <%.*s>\r\nDelivered-To: %.*s\r\n",
		    (int)c->env.sender.n, c->env.sender.p, (int)r->addr.n,
		    r->addr.p)),
	};
	if (p->junk && t->folder == 0)
		t->folder = junk_folder(p, s, account);
}

static struct slice
domain_of(struct slice addr)
{
	return slice_from(addr, slice_rchr(addr, '@') + 1);
}

/* The row for this domain with room for one more, perhaps a new one. */
static struct queue_row *
row_for(struct dispatch *p, struct client *c, struct slice addr)
{
	struct queue_row *row;

	for (size_t i = p->nqueue; i-- > 0;) {
		row = &p->queue[i].row;
		if (row->nrcpts < QUEUE_RCPTS_MAX &&
		    slice_eq(domain_of(row->rcpts[0].addr), domain_of(addr)))
			return row;
	}
	p->queue =
	    mem_grow(p->queue, &p->queue_cap, p->nqueue, sizeof(*p->queue));
	p->queue[p->nqueue] = (struct queue_new){ 0 };
	row = &p->queue[p->nqueue++].row;
	row->account = c->who.account;
	row->sender = c->env.sender;
	row->envid = c->env.envid;
	row->flags = c->env.flags;
	row->state = QUEUE_QUEUED;
	row->created_at = row->next_at = clock_wall_sec();
	row->expire_at = row->created_at +
			 (int64_t)(c->s.sl->srv->conf->queue_expire / 1000);
	row->rcpts =
	    arena_alloc(&p->arena, QUEUE_RCPTS_MAX * sizeof(*row->rcpts));
	return row;
}

static void
add_remote(struct dispatch *p, struct client *c, size_t rcpt, struct slice addr,
    struct slice msgid)
{
	const struct envelope_rcpt *r = &c->env.rcpts[rcpt];
	struct queue_row *row;

	for (size_t i = 0; i < p->nqueue; i++)
		for (size_t k = 0; k < p->queue[i].row.nrcpts; k++)
			if (slice_eq(p->queue[i].row.rcpts[k].addr, addr))
				return;
	row = row_for(p, c, addr);
	row->msgid = msgid;
	row->rcpts[row->nrcpts++] = (struct queue_rcpt){
		.addr = addr, .orcpt = r->orcpt, .notify = r->notify
	};
}

void
dispatch_make(
    struct dispatch *p, struct client *c, struct store *s, struct slice msgid)
{
	*p = (struct dispatch){ .junk = is_junk(c) };
	for (size_t i = 0; i < c->env.nrcpts; i++) {
		const struct route *route = &c->env.rcpts[i].route;

		if (c->env.rcpts[i].rc != 0)
			continue;
		for (size_t k = 0; k < route->naccounts; k++)
			add_account(p, c, s, i, route->accounts[k]);
		for (size_t k = 0; k < route->nremote; k++)
			add_remote(p, c, i, route->remote[k], msgid);
	}
}

void
dispatch_fini(struct dispatch *p)
{
	free(p->targets);
	free(p->queue);
	arena_clear(&p->arena);
}
