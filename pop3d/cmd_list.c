#include "lib/base/log.h"
#include "pop3d/cmd.h"
#include "pop3d/resp.h"

enum { NUMBER_MAX = 20 };

/* Writes v before `end`; where it begins. */
static char *
digits(char *end, uint64_t v)
{
	do
		*--end = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	return end;
}

/* The line from its end to its front: most of LIST's time is spent here. */
static void
put_item(struct client *c, const struct drop_item *item)
{
	char line[4 * NUMBER_MAX], *end = line + sizeof(line), *p = end;

	if (c->uidl && item->uidl.p != NULL) {
		buf_add_u64(&c->s.out, item->seq);
		buf_add_char(&c->s.out, ' ');
		buf_add_slice(&c->s.out, item->uidl);
		buf_add(&c->s.out, "\r\n", 2);
		return;
	}
	*--p = '\n';
	*--p = '\r';
	p = digits(p, c->uidl ? item->uid : item->size);
	if (c->uidl) {
		*--p = '.';
		p = digits(p, drop_uidvalidity(c->drop));
	}
	*--p = ' ';
	p = digits(p, item->seq);
	buf_add(&c->s.out, p, (size_t)(end - p));
}

static bool
more_list(struct session *s)
{
	struct client *c = client_of(s);
	size_t mark = c->s.sl->srv->conf->output_high_water;
	struct drop_item item;
	int rc;

	while ((rc = drop_list_next(c->list, &item)) == 0) {
		put_item(c, &item);
		if (buf_len(&c->s.out) >= mark)
			return false;
	}
	drop_list_close(&c->list);
	if (rc != ERR_NOTFOUND) {
		/* The list has begun: only the end of it all is honest. */
		log_error(c->s.id, "list", "error=%s", err_name(rc));
		c->s.quitting = true;
		return true;
	}
	buf_add(&c->s.out, ".\r\n", 3);
	return true;
}

static void
list_one(struct client *c, struct slice arg)
{
	struct drop_item item;
	uint32_t seq;
	int rc;

	if (!cmd_want_msg(c, arg, &seq))
		return;
	rc = drop_list_open(c->drop, seq, c->uidl, &c->list);
	if (rc == 0)
		rc = drop_list_next(c->list, &item);
	if (rc == 0) {
		buf_add(&c->s.out, "+OK ", 4);
		put_item(c, &item);
	} else {
		cmd_fail_msg(c, rc);
	}
	drop_list_close(&c->list);
}

static void
list_or_uidl(struct client *c, const struct pop3_line *l, bool uidl)
{
	int rc;

	/* One that was cut short when the peer went. */
	drop_list_close(&c->list);
	c->uidl = uidl;
	if (l->nargs > 1) {
		resp_err(c, "one message number, or none");
		return;
	}
	if (l->nargs == 1) {
		list_one(c, l->arg[0]);
		return;
	}
	if ((rc = drop_list_open(c->drop, 0, uidl, &c->list)) != 0) {
		resp_fail(c, rc, "");
		return;
	}
	resp_ok(c, "%u messages", drop_count(c->drop) - drop_ngone(c->drop));
	c->s.more = more_list;
}

/* RFC 1939 5 */
void
pop3_list(struct client *c, const struct pop3_line *l)
{
	list_or_uidl(c, l, false);
}

/* RFC 1939 7 */
void
pop3_uidl(struct client *c, const struct pop3_line *l)
{
	list_or_uidl(c, l, true);
}
