#include "admin/policy.h"

#include <stdio.h>
#include <string.h>

#include "admin/opt.h"
#include "lib/base/clock.h"
#include "lib/base/num.h"
#include "storage/sending.h"

enum { UNDO_MAX_SEC = 3600 };

#define AT(member) offsetof(struct policy_limits, member)

static const struct {
	const char *opt, *label;
	size_t at;     /* in struct policy_limits */
	size_t use_at; /* in struct sending_use; SIZE_MAX: not counted */
} limits[] = {
	{ "messages-per-hour", "messages/h", AT(messages_hour),
	    offsetof(struct sending_use, messages_hour) },
	{ "recipients-per-hour", "recipients/h", AT(recipients_hour),
	    offsetof(struct sending_use, recipients_hour) },
	{ "recipients-per-message", "recipients/message",
	    AT(recipients_message), SIZE_MAX },
	{ "new-recipients-per-day", "new recipients/day", AT(new_day),
	    offsetof(struct sending_use, new_day) },
};

#undef AT

static uint64_t *
limit_at(struct policy_limits *l, size_t at)
{
	return (uint64_t *)(void *)((char *)l + at);
}

/* "100", "none", or "0": not set. */
static int
take_limit(struct cmd *c, const char *name, uint64_t *out, bool *any)
{
	const char *text = args_get(&c->args, name);

	if (text == NULL)
		return CMD_DONE;
	*any = true;
	if (strcmp(text, "none") != 0)
		return opt_num(c, name, UINT32_MAX, out);
	*out = POLICY_NO_LIMIT;
	return CMD_DONE;
}

static int
take_switch(struct cmd *c, const char *name, bool *out, bool *any)
{
	const char *text = args_get(&c->args, name);

	if (text == NULL)
		return CMD_DONE;
	*any = true;
	*out = strcmp(text, "on") == 0;
	if (*out || strcmp(text, "off") == 0)
		return CMD_DONE;
	out_error(&c->out, "posthof: --%s %s: on or off\n", name, text);
	return CMD_USAGE;
}

static int
take_undo(struct cmd *c, uint32_t *out, bool *any)
{
	const char *text = args_get(&c->args, "undo");
	uint64_t ms;

	if (text == NULL)
		return CMD_DONE;
	*any = true;
	if (!num_parse_duration(slice_str(text), &ms) ||
	    ms > UNDO_MAX_SEC * 1000) {
		out_error(&c->out, "posthof: --undo %s: 10s, at most %d s\n",
		    text, UNDO_MAX_SEC);
		return CMD_USAGE;
	}
	*out = (uint32_t)((ms + 999) / 1000);
	return CMD_DONE;
}

/* The list as given replaces the old one. */
static int
take_send_as(struct cmd *c, struct policy *p, bool *any)
{
	const char *word, *list = "";
	struct slice folded;
	size_t at = 0;
	int status;

	while ((word = args_next(&c->args, "send-as", &at)) != NULL) {
		*any = true;
		if (strcmp(word, "none") == 0)
			continue;
		status = opt_name(c, word, ident_fold_address, &folded);
		if (status != CMD_DONE)
			return status;
		list = arena_printf(&c->arena, "%s%s%.*s", list,
		    list[0] != '\0' ? " " : "", (int)folded.n, folded.p);
	}
	if (at == 0 || args_get(&c->args, "send-as") == NULL)
		return CMD_DONE;
	p->send_as = slice_str(list);
	if (p->send_as.n <= POLICY_AS_MAX)
		return CMD_DONE;
	out_error(&c->out, "posthof: --send-as: too many addresses\n");
	return CMD_REFUSED;
}

static int
take_all(struct cmd *c, char kind, struct policy *p, bool *any)
{
	int status = CMD_DONE;

	for (size_t i = 0; status == CMD_DONE && i < PH_LEN(limits); i++)
		status = take_limit(
		    c, limits[i].opt, limit_at(&p->limits, limits[i].at), any);
	if (status != CMD_DONE || kind != POLICY_ACCOUNT)
		return status;
	if ((status = take_switch(c, "sent-copy", &p->sent_copy, any)) ==
		CMD_DONE &&
	    (status = take_switch(c, "outbox", &p->outbox, any)) == CMD_DONE &&
	    (status = take_undo(c, &p->undo_sec, any)) == CMD_DONE)
		status = take_send_as(c, p, any);
	return status;
}

int
policy_look(struct cmd *c, char kind, struct slice name)
{
	struct policy p = { 0 };
	bool any = false;
	int rc = 0;

	if (name.n != 0)
		rc = policy_get(c->store, kind, name, &c->arena, &p);
	if (rc != 0)
		return cmd_refuse(c, rc, "%s", c->row->name);
	return take_all(c, kind, &p, &any);
}

int
policy_take(struct cmd *c, char kind, struct slice name)
{
	struct policy p;
	bool any = false;
	int status, rc;

	if ((rc = policy_get(c->store, kind, name, &c->arena, &p)) != 0)
		return cmd_refuse(c, rc, "%s", c->row->name);
	if ((status = take_all(c, kind, &p, &any)) != CMD_DONE || !any)
		return status;
	rc = policy_set(c->store, kind, name, &p);
	return rc == 0 ? CMD_DONE : cmd_refuse(c, rc, "%s", c->row->name);
}

/* "12 of 100 messages/h, 15 recipients/h, ..." */
static json_t *
sending_text(struct cmd *c, char kind, struct slice name, struct policy *p)
{
	struct sending_use use = { 0 };
	const char *text = "";

	if (sending_use(c->store, kind, name, clock_wall_sec(), &use) != 0)
		use = (struct sending_use){ 0 };
	for (size_t i = 0; i < PH_LEN(limits); i++) {
		uint64_t limit = *limit_at(&p->limits, limits[i].at), have = 0;
		const char *sep = text[0] != '\0' ? ", " : "";

		if (limits[i].use_at != SIZE_MAX)
			memcpy(&have, (const char *)&use + limits[i].use_at,
			    sizeof(have));
		if (limit == POLICY_NO_LIMIT)
			text = arena_printf(&c->arena, "%s%sany %s", text, sep,
			    limits[i].label);
		else if (limit != 0)
			text = arena_printf(&c->arena, "%s%s%llu of %llu %s",
			    text, sep, (unsigned long long)have,
			    (unsigned long long)limit, limits[i].label);
	}
	return json_string(text[0] != '\0' ? text : "no limits of its own");
}

void
policy_show(struct cmd *c, char kind, struct slice name, json_t *row)
{
	struct policy p;

	if (policy_get(c->store, kind, name, &c->arena, &p) != 0)
		return;
	(void)json_object_set_new(
	    row, "sending", sending_text(c, kind, name, &p));
	if (kind != POLICY_ACCOUNT)
		return;
	(void)json_object_set_new(row, "sent_copy", json_boolean(p.sent_copy));
	(void)json_object_set_new(row, "outbox", json_boolean(p.outbox));
	(void)json_object_set_new(row, "undo_sec", json_integer(p.undo_sec));
	(void)json_object_set_new(row, "send_as", out_str(p.send_as));
}
