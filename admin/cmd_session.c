/*
 * Who is logged in, read from the daemons' boards, and how they are shown out.
 */
#include <stdlib.h>
#include <string.h>

#include "admin/cmds.h"
#include "admin/opt.h"
#include "lib/base/board.h"
#include "lib/base/mem.h"
#include "storage/notify.h"

static const char *const daemons[] = { "imapd", "pop3d", "submitd" };

static const struct out_col cols[] = {
	{ "id", "ID", OUT_TEXT },
	{ "account", "ACCOUNT", OUT_TEXT },
	{ "since", "SINCE", OUT_TIME },
	{ "ip", "ADDRESS", OUT_TEXT },
	{ "door", "DOOR", OUT_TEXT },
	{ "mech", "MECHANISM", OUT_TEXT },
	{ "tls", "TLS", OUT_TEXT },
	{ "client", "CLIENT", OUT_TEXT },
	{ "package", NULL, OUT_TEXT },
	{ "password_id", NULL, OUT_NUM },
};

/* Those that are asked for. */
struct want {
	struct board_slot *v;
	size_t n, cap;
	uint64_t account, number; /* 0: any */
	struct slice package;     /* p NULL: any */
};

static void
take(const struct board_slot *s, void *arg)
{
	struct want *w = arg;

	if ((w->account != 0 && s->account != w->account) ||
	    (w->number != 0 && s->number != w->number) ||
	    (w->package.p != NULL &&
		!slice_eq(slice_str(s->package), w->package)))
		return;
	w->v = mem_grow(w->v, &w->cap, w->n, sizeof(*w->v));
	w->v[w->n++] = *s;
}

static void
gather(struct cmd *c, struct want *w)
{
	for (size_t i = 0; i < PH_LEN(daemons); i++)
		(void)board_read(arena_printf(&c->arena, "%s/sessions/%s",
				     c->conf->run_dir, daemons[i]),
		    take, w);
}

static int
by_name_and_age(const void *pa, const void *pb)
{
	const struct board_slot *a = pa, *b = pb;
	int by = slice_cmp(slice_str(a->name), slice_str(b->name));

	if (by != 0)
		return by;
	return (a->since_sec > b->since_sec) - (a->since_sec < b->since_sec);
}

static json_t *
row_of(const struct board_slot *s)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:I}", "id",
	    out_str(slice_str(s->id)), "account", out_str(slice_str(s->name)),
	    "since", out_time(s->since_sec), "ip", out_str(slice_str(s->ip)),
	    "door", out_str(slice_str(s->door)), "mech",
	    out_str(slice_str(s->mech)), "tls", out_str(slice_str(s->tls)),
	    "client", out_str(slice_str(s->client)), "package",
	    out_str(slice_str(s->package)), "password_id",
	    (json_int_t)s->secret_id);
}

int
cmd_session_list(struct cmd *c)
{
	const char *name = args_get(&c->args, "account");
	struct want w = { 0 };
	struct account ac;
	int status;

	status = opt_named(c, "package", ident_fold_package, &w.package);
	if (status != CMD_DONE)
		return status;
	if (name != NULL) {
		if ((status = opt_account(c, name, &ac)) != CMD_DONE)
			return status;
		w.account = ac.id;
	}
	gather(c, &w);
	if (w.n != 0)
		qsort(w.v, w.n, sizeof(*w.v), by_name_and_age);
	out_begin(&c->out, cols, PH_LEN(cols));
	for (size_t i = 0; i < w.n; i++)
		out_row(&c->out, row_of(&w.v[i]));
	out_end(&c->out);
	free(w.v);
	return CMD_DONE;
}

/* The daemons hear of it with the next flush, which cmd_sync() makes. */
int
cmd_session_kick(struct cmd *c)
{
	static const struct out_col kicked[] = {
		{ "kicked", "Sessions ended", OUT_NUM },
	};
	const char *word = c->args.words[0];
	struct notify_event ev = { .kind = NOTIFY_KICK };
	struct want w = { 0 };
	struct account ac;
	int status;

	if (board_number(slice_str(word), &w.number)) {
		ev.folder = w.number;
	} else {
		if ((status = opt_account(c, word, &ac)) != CMD_DONE)
			return status;
		ev.account = w.account = ac.id;
	}
	gather(c, &w);
	free(w.v);
	if (w.n == 0 && w.number != 0)
		return cmd_refuse(c, ERR_NOTFOUND, "session %s", word);
	notify_add(c->store, &ev);
	if ((status = cmd_sync(c)) == CMD_DONE)
		out_record(&c->out, kicked, PH_LEN(kicked),
		    json_pack("{s:I}", "kicked", (json_int_t)w.n));
	return status;
}
