#include "admin/cmds.h"
#include "admin/opt.h"
#include "storage/event.h"

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 10000, LOOK_MAX = 20000 };

static const struct out_col cols[] = {
	{ "at", "TIME", OUT_TIME },
	{ "result", "RESULT", OUT_TEXT },
	{ "text", "DETAILS", OUT_TEXT },
	{ "details", NULL, OUT_LIST },
};

/* The end of a value: a quote, or the blank before the next key. */
static size_t
value_end(struct slice rest, bool quoted)
{
	size_t eq = slice_chr(rest, '=');

	if (quoted)
		return slice_chr(rest, '"');
	return eq == rest.n ? eq : slice_rchr(slice_sub(rest, 0, eq), ' ');
}

/* "ip=192.0.2.1 mech=PLAIN client=\"x y\"" as an object. */
static json_t *
parse_details(struct slice text)
{
	json_t *j = json_object();

	while (text.n != 0) {
		size_t eq = slice_chr(text, '='), end;
		struct slice key = slice_trim(slice_sub(text, 0, eq));
		bool quoted;
		char name[64];

		text = slice_from(text, eq + 1);
		quoted = text.n != 0 && text.p[0] == '"';
		text = slice_from(text, quoted);
		end = value_end(text, quoted);
		if (key.n != 0 && slice_copy(key, name, sizeof(name)))
			(void)json_object_set_new(
			    j, name, out_str(slice_sub(text, 0, end)));
		text = slice_from(text, end + 1);
	}
	return j;
}

static json_t *
row_of(const struct event *ev)
{
	const char *result = ev->kind == EVENT_LOGIN          ? "ok"
			     : ev->kind == EVENT_LOGIN_FAILED ? "failed"
			     : ev->kind == EVENT_CLIENT       ? "program"
							      : "refused";

	return json_pack("{s:o,s:s,s:o,s:o}", "at", out_time(ev->at_ms / 1000),
	    "result", result, "text", out_str(ev->text), "details",
	    parse_details(ev->text));
}

static unsigned
bit(enum event_kind kind)
{
	return 1u << kind;
}

/* kinds: a sum of bit(). */
static int
list(struct cmd *c, uint64_t account, unsigned kinds)
{
	uint64_t limit = LIMIT_DEFAULT;
	struct event *v;
	size_t n = 0, shown = 0;
	int rc, status;

	if ((status = opt_num(c, "limit", LIMIT_MAX, &limit)) != CMD_DONE)
		return status;
	v = arena_alloc(&c->arena, LOOK_MAX * sizeof(*v));
	rc = event_list(c->store, account, &c->arena, v, LOOK_MAX, &n);
	if (rc != 0)
		return cmd_refuse(c, rc, "%s", c->row->name);
	out_begin(&c->out, cols, PH_LEN(cols));
	for (size_t i = 0; i < n && shown < limit; i++) {
		if (!(kinds & bit(v[i].kind)))
			continue;
		out_row(&c->out, row_of(&v[i]));
		shown++;
	}
	out_end(&c->out);
	return CMD_DONE;
}

int
cmd_logins(struct cmd *c)
{
	struct account ac;
	int status = opt_account(c, c->args.words[0], &ac);

	return status != CMD_DONE
		   ? status
		   : list(c, ac.id,
			 bit(EVENT_LOGIN) | bit(EVENT_LOGIN_FAILED) |
			     bit(EVENT_CLIENT));
}

/* Without an account: to strangers, which is account 0's. */
int
cmd_refused(struct cmd *c)
{
	struct account ac = { 0 };
	int status = CMD_DONE;

	if (c->args.nwords != 0)
		status = opt_account(c, c->args.words[0], &ac);
	return status != CMD_DONE ? status : list(c, ac.id, bit(EVENT_REFUSED));
}
