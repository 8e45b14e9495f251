#include "submitd/success.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

static bool
asks(const struct envelope_rcpt *r)
{
	return r->rc == 0 && r->route.naccounts != 0 &&
	       (r->notify & NOTIFY_ON_SUCCESS);
}

static void
add_rcpts(struct success *s, const struct envelope *env)
{
	struct queue_row *row = &s->e.row;

	row->rcpts =
	    arena_alloc(&s->e.arena, env->nrcpts * sizeof(*row->rcpts));
	s->e.out = arena_alloc(&s->e.arena, env->nrcpts * sizeof(*s->e.out));
	for (size_t i = 0; i < env->nrcpts; i++) {
		const struct envelope_rcpt *r = &env->rcpts[i];

		if (!asks(r))
			continue;
		s->e.out[row->nrcpts] = OUT_SENT;
		row->rcpts[row->nrcpts++] = (struct queue_rcpt){
			.addr = r->addr,
			.orcpt = r->orcpt,
			.notify = r->notify,
			.state = RCPT_DELIVERED,
			.tried_at = row->created_at,
		};
	}
}

bool
success_wanted(const struct client *c)
{
	const struct envelope *env = &c->env;
	bool any = false;

	for (size_t i = 0; i < env->nrcpts; i++)
		any = any || asks(&env->rcpts[i]);
	return any && env->sender.n != 0;
}

void
success_make(struct success *s, struct client *c, const struct fixup *fix)
{
	const struct envelope *env = &c->env;
	struct queue_row *row = &s->e.row;
	int rc;

	*s = (struct success){ 0 };
	if (!success_wanted(c) || env->hold_until > clock_wall_sec())
		return;
	arena_init(&s->e.arena);
	row->account = c->who.account;
	row->sender = env->sender;
	row->envid = env->envid;
	row->flags = env->flags;
	row->msgid = fix->msgid;
	row->created_at = clock_wall_sec();
	add_rcpts(s, env);
	buf_init(&s->original, DSN_ORIGINAL_MAX);
	for (size_t i = 0; i < fix->nparts; i++)
		row->size += fix->parts[i].n;
	for (size_t i = 0; i < fix->nparts; i++)
		buf_add_slice(&s->original,
		    slice_sub(fix->parts[i], 0,
			DSN_ORIGINAL_MAX - buf_len(&s->original)));
	s->e.original = buf_slice(&s->original);
	if ((rc = dsn_make(&s->dsn, &s->e, c->s.sl->srv, false)) != 0) {
		log_error(c->s.id, "report", "failed=%s", err_name(rc));
		s->dsn.has_msg = false;
	}
}

void
success_fini(struct success *s)
{
	dsn_fini(&s->dsn);
	buf_fini(&s->original);
	arena_clear(&s->e.arena);
}
