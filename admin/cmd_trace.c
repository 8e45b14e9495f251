#include "admin/cmds.h"

#include <stdlib.h>
#include <string.h>

#include "admin/opt.h"
#include "admin/traces.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "storage/account.h"
#include "storage/queue.h"

/*
 * A mail has an id from its acceptance, each of its queue rows another one, and
 * so has each report about it.  Lines that name two of them tie them together:
 * first what was asked for is looked up, then what belongs to it, until
 * nothing more is found.
 */

enum { LIMIT_DEFAULT = 20, LIMIT_MAX = 1000, IDS_MAX = 20000, ROUNDS = 8 };

/* An id, in one group with its parent. */
struct node {
	struct slice id;
	size_t parent; /* itself: it stands for the group */
	bool row;      /* of the queue */
	bool over;     /* its end is written down */
	bool shown;
};

/* A line that is to be shown. */
struct found {
	size_t group;
	struct traces_line line;
};

struct search {
	struct cmd *c;
	struct traces files;
	struct slice word;
	struct slice quoted; /* as values are in the lines */
	struct map ids;      /* to 1 + the index of its node */
	struct node *nodes;
	size_t nnodes, nodes_cap;
	struct found *found;
	size_t nfound, found_cap;
	bool cut; /* there is more than it can hold */
};

static size_t
group_of(const struct search *s, size_t i)
{
	while (s->nodes[i].parent != i)
		i = s->nodes[i].parent;
	return i;
}

/* The node + 1, or 0. */
static size_t
find_id(const struct search *s, struct slice id)
{
	return (size_t)(uintptr_t)map_get(&s->ids, id);
}

static size_t
add_id(struct search *s, struct slice id)
{
	size_t at = find_id(s, id);

	if (at != 0)
		return at;
	if (s->nnodes == IDS_MAX) {
		s->cut = true;
		return 0;
	}
	s->nodes =
	    mem_grow(s->nodes, &s->nodes_cap, s->nnodes, sizeof(*s->nodes));
	s->nodes[s->nnodes] = (struct node){ .id = id, .parent = s->nnodes };
	at = ++s->nnodes;
	(void)map_put(&s->ids, id, (void *)(uintptr_t)at);
	return at;
}

static bool
is_mail_id(struct slice s)
{
	return s.n > 1 && s.p[0] == 'Q';
}

enum { LINE_IDS = 2 };

/* The mails' ids in a line. */
static size_t
ids_of(const struct traces_line *l, struct slice ids[LINE_IDS])
{
	struct slice rest = l->pairs, key, value;
	size_t n = 0;

	if (is_mail_id(l->id))
		ids[n++] = l->id;
	/* They come first, before all that others have written. */
	if (traces_pair(&rest, &key, &value) && is_mail_id(value) &&
	    (slice_eq(key, SLICE("id")) || slice_eq(key, SLICE("from-id"))))
		ids[n++] = value;
	return n;
}

/* All ids of the line in one group; how many were new. */
static size_t
tie(struct search *s, const struct slice *ids, size_t n)
{
	size_t before = s->nnodes, first = 0;

	for (size_t i = 0; i < n; i++) {
		size_t at = add_id(s, ids[i]);

		if (at == 0)
			continue;
		if (first == 0)
			first = group_of(s, at - 1) + 1;
		else
			s->nodes[group_of(s, at - 1)].parent = first - 1;
	}
	return s->nnodes - before;
}

/* A Message-ID without its brackets. */
static struct slice
bare(struct slice s)
{
	return s.n >= 2 && s.p[0] == '<' && s.p[s.n - 1] == '>'
		   ? slice_sub(s, 1, s.n - 2)
		   : s;
}

/* Is it what was asked for? */
static bool
is_asked(const struct search *s, const struct traces_line *l,
    const struct slice *ids, size_t nids)
{
	struct slice rest = l->pairs, key, value;

	if (slice_eq(l->id, s->word))
		return true;
	for (size_t i = 0; i < nids; i++)
		if (slice_ieq(ids[i], s->word))
			return true;
	while (traces_pair(&rest, &key, &value))
		if (slice_eq(key, SLICE("msgid"))
			? slice_eq(bare(value), bare(s->quoted))
			: (slice_eq(key, SLICE("from")) ||
			      slice_eq(key, SLICE("to"))) &&
			      slice_ieq(value, s->quoted))
			return true;
	return false;
}

/* The newest days first, until there is enough. */
static void
look_up(struct search *s, size_t enough)
{
	struct traces_line l;
	struct slice ids[LINE_IDS];

	for (size_t i = s->files.n; i-- > 0 && s->nnodes < enough;) {
		struct slice rest = s->files.v[i].text;

		while (traces_next(&rest, &l)) {
			size_t n = ids_of(&l, ids);

			if (n != 0 && is_asked(s, &l, ids, n))
				(void)tie(s, ids, n);
		}
	}
}

static bool
is_known(const struct search *s, const struct slice *ids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (find_id(s, ids[i]) != 0)
			return true;
	return false;
}

/* What belongs to it; false: nothing new. */
static bool
grow(struct search *s)
{
	struct traces_line l;
	struct slice ids[LINE_IDS];
	size_t more = 0;

	for (size_t i = 0; i < s->files.n; i++) {
		struct slice rest = s->files.v[i].text;

		while (traces_next(&rest, &l)) {
			size_t n = ids_of(&l, ids);

			if (n != 0 && is_known(s, ids, n))
				more += tie(s, ids, n);
		}
	}
	return more != 0;
}

static void
keep_line(struct search *s, const struct traces_line *l, size_t node)
{
	struct node *of_line;
	size_t at = find_id(s, l->id);

	s->found =
	    mem_grow(s->found, &s->found_cap, s->nfound, sizeof(*s->found));
	s->found[s->nfound++] =
	    (struct found){ .group = group_of(s, node), .line = *l };
	if (at == 0)
		return;
	of_line = &s->nodes[at - 1];
	of_line->row |= slice_eq(l->event, SLICE("queue"));
	of_line->over |= slice_eq(l->event, SLICE("final")) ||
			 (slice_eq(l->event, SLICE("release")) &&
			     !slice_starts(l->pairs, SLICE("failed=")));
}

static void
collect(struct search *s)
{
	struct traces_line l;
	struct slice ids[LINE_IDS];

	for (size_t i = 0; i < s->files.n; i++) {
		struct slice rest = s->files.v[i].text;

		while (traces_next(&rest, &l)) {
			size_t n = ids_of(&l, ids), at = 0;

			for (size_t k = 0; k < n && at == 0; k++)
				at = find_id(s, ids[k]);
			if (at != 0)
				keep_line(s, &l, at - 1);
		}
	}
}

/*
 * Showing.
 */

static const struct out_col cols[] = {
	{ "at", "TIME", OUT_TEXT },
	{ "id", "ID", OUT_TEXT },
	{ "event", "EVENT", OUT_TEXT },
	{ "text", "DETAILS", OUT_TEXT },
	{ "details", NULL, OUT_LIST },
	{ "message", NULL, OUT_TEXT },
};

/* "\x22" is a quote again. */
static json_t *
plain(struct cmd *c, struct slice value)
{
	char *to = arena_bytes(&c->arena, value.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < value.n; i++) {
		char hex[3] = { 0 };

		if (value.n - i < 4 || value.p[i] != '\\' ||
		    value.p[i + 1] != 'x') {
			to[n++] = value.p[i];
			continue;
		}
		hex[0] = value.p[i + 2];
		hex[1] = value.p[i + 3];
		to[n++] = (char)strtoul(hex, NULL, 16);
		i += 3;
	}
	return out_str(slice_of(to, n));
}

/* "5,17" as names; who is no more stays a number. */
static const char *
account_names(struct cmd *c, struct slice numbers)
{
	struct buf names;
	struct slice one;
	struct account ac;
	const char *text;

	buf_init(&names, 1 << 20);
	while (slice_split(&numbers, ',', &one)) {
		char number[24];
		bool known =
		    slice_copy(one, number, sizeof(number)) &&
		    account_get_id(c->store, strtoull(number, NULL, 10),
			&c->arena, &ac) == 0;

		if (buf_len(&names) != 0)
			buf_add_char(&names, ',');
		buf_add_slice(&names, known ? ac.name : one);
	}
	text = arena_str(&c->arena, buf_slice(&names));
	buf_fini(&names);
	return text;
}

static void
show_row(struct search *s, struct slice at, struct slice id, struct slice event,
    struct slice text, struct slice message)
{
	struct slice rest = text, key, value;
	json_t *details = json_object();
	char name[64];

	while (traces_pair(&rest, &key, &value))
		if (slice_copy(key, name, sizeof(name)))
			(void)json_object_set_new(
			    details, name, plain(s->c, value));
	out_row(&s->c->out,
	    json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "at", out_str(at), "id",
		out_str(id), "event", out_str(event), "text", out_str(text),
		"details", details, "message", out_str(message)));
}

static void
show_line(struct search *s, const struct traces_line *l, struct slice message)
{
	static const struct slice accounts = SLICE("accounts=");
	struct slice text = l->pairs;
	size_t end;

	if (slice_starts(text, accounts)) {
		text = slice_from(text, accounts.n);
		end = slice_chr(text, ' ');
		text = slice_str(arena_printf(&s->c->arena, "accounts=%s%.*s",
		    account_names(s->c, slice_sub(text, 0, end)),
		    (int)(text.n - end), text.p + end));
	}
	show_row(s, l->at, l->id, l->event, text, message);
}

/* Where a row stands that has no end yet; the keeper's commands write nothing
 * down, so that one that is gone was dropped or cancelled. */
static void
show_now(struct search *s, const struct node *node, struct slice message)
{
	static const char *const states[] = { [QUEUE_QUEUED] = "queued",
		[QUEUE_DEFERRED] = "deferred",
		[QUEUE_HELD] = "held",
		[QUEUE_SCHEDULED] = "scheduled" };
	struct queue_row q = { 0 };
	char next[32];
	uint64_t id;
	const char *text = "state=gone";
	int rc;

	if (!queue_id_parse(node->id, &id))
		return;
	rc = queue_get(s->c->store, id, &s->c->arena, &q);
	if (rc == 0) {
		out_time_text(q.next_at, next);
		text = arena_printf(&s->c->arena,
		    "state=%s attempts=%u next=%s", states[q.state], q.attempts,
		    q.state == QUEUE_HELD ? "-" : next);
	} else if (rc != ERR_NOTFOUND) {
		text = "state=unknown";
	}
	show_row(s, SLICE("now"), node->id, SLICE("queue"), slice_str(text),
	    message);
}

static void
show_group(struct search *s, size_t group)
{
	struct slice message = { 0 };
	struct slice ids[LINE_IDS];

	for (size_t i = 0; i < s->nfound; i++) {
		const struct found *f = &s->found[i];

		if (f->group != group)
			continue;
		/* Of its first line, which is the acceptance's. */
		if (message.n == 0) {
			size_t n = ids_of(&f->line, ids);

			message = n != 0 ? ids[n - 1] : f->line.id;
		}
		show_line(s, &f->line, message);
	}
	for (size_t i = 0; i < s->nnodes; i++)
		if (s->nodes[i].row && !s->nodes[i].over &&
		    group_of(s, i) == group)
			show_now(s, &s->nodes[i], message);
}

/* The `limit` latest groups, in the order of their first lines. */
static void
show(struct search *s, size_t limit)
{
	size_t *order = xcalloc(s->nnodes + 1, sizeof(*order)), n = 0, from;

	for (size_t i = 0; i < s->nfound; i++) {
		struct node *g = &s->nodes[s->found[i].group];

		if (g->shown)
			continue;
		g->shown = true;
		order[n++] = s->found[i].group;
	}
	from = n > limit ? n - limit : 0;
	out_begin(&s->c->out, cols, PH_LEN(cols));
	for (size_t i = from; i < n; i++)
		show_group(s, order[i]);
	out_end(&s->c->out);
	if (from != 0 || s->cut)
		out_error(&s->c->out,
		    "posthof: there are more; these are the latest %zu "
		    "(--limit)\n",
		    n - from);
	free(order);
}

static int
run(struct search *s, size_t limit)
{
	const char *word = s->c->args.words[0];

	look_up(s, limit * 4);
	for (int i = 0; i < ROUNDS && s->nnodes != 0; i++)
		if (!grow(s))
			break;
	if (s->nnodes == 0)
		return cmd_refuse(s->c,
		    err_set(&s->c->err, ERR_NOTFOUND,
			s->c->conf->trace_days == 0
			    ? "nothing is written down: trace-days is 0"
			    : "nothing is known of it (any more); an id, an "
			      "address or a Message-ID finds mail of the last "
			      "trace-days"),
		    "%s", word);
	collect(s);
	show(s, limit);
	return CMD_DONE;
}

/* A value as log_q() writes it, without the quotes around. */
static struct slice
as_written(struct cmd *c, const char *word)
{
	struct slice q = slice_str(log_q(slice_str(word)));

	return arena_copy(&c->arena, slice_sub(q, 1, q.n - 2));
}

int
cmd_trace(struct cmd *c)
{
	const char *word = c->args.words[0];
	uint64_t limit = LIMIT_DEFAULT;
	struct search s = { .c = c, .word = slice_str(word) };
	int status;

	if ((status = opt_num(c, "limit", LIMIT_MAX, &limit)) != CMD_DONE)
		return status;
	s.quoted = as_written(c, word);
	map_init(&s.ids);
	traces_open(&s.files, c->conf->state_dir);
	status = run(&s, limit != 0 ? (size_t)limit : 1);
	traces_close(&s.files);
	map_fini(&s.ids, NULL);
	free(s.nodes);
	free(s.found);
	return status;
}
