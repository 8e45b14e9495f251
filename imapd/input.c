#include "imapd/input.h"

#include <inttypes.h>

#include "imapd/append.h"
#include "imapd/cmd.h"
#include "imapd/parse_append.h"
#include "imapd/parse_metadata.h"
#include "imapd/rawlog.h"
#include "lib/base/log.h"

enum {
	/* Before login, RFC 9051 11.6: little for anybody. */
	EARLY_LITERAL = 4096,
	EARLY_TOTAL = 64 << 10,
	LINES_ROOM = 64 << 10,
	DRAIN_TIMES = 4 /* of message-max: more is not drained */
};

void
input_limits(struct client *c)
{
	const struct conf *conf = client_conf(c);
	size_t total = EARLY_TOTAL;

	if (c->state != IS_NOAUTH)
		total = conf->literal_max + LINES_ROOM + conf->line_max;
	frame_limits(&c->frame, conf->line_max, total);
}

static void
refuse(struct client *c, const char *code, const char *text)
{
	c->refuse_code = code;
	c->refuse_text = text;
	frame_refuse(&c->frame);
}

/* A message of APPEND: it goes to the spool. */
static void
message_literal(struct client *c)
{
	const struct frame_literal *lit = &c->frame.literal;

	if (lit->size > client_conf(c)->message_max)
		/* RFC 7889 4: refused before it is sent, if it can be. */
		refuse(c, "TOOBIG", "the message is too large");
	else if (!append_begin(c, lit->size, lit->binary))
		refuse(c, "LIMIT", "too much in one APPEND");
	else
		frame_stream(&c->frame);
}

static void
plain_literal(struct client *c)
{
	uint64_t max =
	    c->state == IS_NOAUTH ? EARLY_LITERAL : client_conf(c)->literal_max;

	c->refuse_code = NULL;
	c->refuse_text = "literal too long";
	if (c->frame.literal.size > max &&
	    parse_setmetadata_begun(frame_text(&c->frame), &c->arena))
		refuse(c,
		    arena_printf(&c->arena, "METADATA MAXSIZE %" PRIu64,
			client_conf(c)->imap_metadata_max),
		    "the value is too long");
	else if (c->frame.literal.size > max)
		frame_refuse(&c->frame);
	else if (!frame_keep(&c->frame))
		c->refuse_text = "command too long";
}

static void
on_literal(struct client *c)
{
	struct slice text = frame_text(&c->frame);
	uint64_t size = c->frame.literal.size;
	bool sync = c->frame.literal.sync;

	if (!sync && size / DRAIN_TIMES > client_conf(c)->message_max) {
		client_bye(c, "literal", "TOOBIG", "literal too long");
		return;
	}
	if (c->state != IS_NOAUTH && parse_append_begun(text, &c->arena))
		message_literal(c);
	else
		plain_literal(c);
	if (c->frame.bad == FRAME_GOOD && sync)
		resp_continue(&c->out, "send it");
}

static void
tell_raw(struct client *c)
{
	enum rawlog_how how = RAWLOG_ALL;

	if (c->mode == MODE_SASL)
		how = RAWLOG_SECRET;
	else if (c->state == IS_NOAUTH)
		how = RAWLOG_EARLY;
	rawlog_in(c->raw, frame_text(&c->frame), how);
}

static struct slice
tag_of(struct client *c)
{
	struct parse p;
	struct slice tag;

	parse_init(&p, frame_text(&c->frame), &c->arena, false);
	if (!parse_tag(&p, &tag) || cur_peek(&p.c) != ' ')
		return SLICE("");
	return tag;
}

static void
on_bad(struct client *c)
{
	static const char *const why[] = {
		[FRAME_LONG_LINE] = "command line too long",
		[FRAME_BARE] = "lines end in CR LF",
		[FRAME_NUL] = "NUL in a command line",
	};
	enum frame_bad bad = c->frame.bad;
	struct slice tag =
	    c->mode == MODE_COMMAND ? tag_of(c) : slice_str(c->held_tag);

	tell_raw(c);
	append_drop(c);
	if (bad == FRAME_REFUSED)
		resp_tagged(&c->out, tag,
		    c->refuse_code != NULL ? RESP_NO : RESP_BAD, c->refuse_code,
		    c->refuse_text);
	else
		resp_tagged(&c->out, tag, RESP_BAD, NULL, why[bad]);
	if (c->mode != MODE_COMMAND)
		cmd_release(c);
	if (c->login != NULL)
		login_fini(c->login);
	cmd_drop(c);
	(void)client_bad_command(c);
}

/* Bytes of a TLS handshake record (RFC 8446 5.1) on a plain connection. */
static bool
is_tls_hello(const struct client *c, struct slice in)
{
	return c->state == IS_NOAUTH && !conn_is_tls(&c->conn) &&
	       frame_empty(&c->frame) && slice_starts(in, SLICE("\x16\x03"));
}

static void
on_line(struct client *c)
{
	tell_raw(c);
	switch (c->mode) {
	case MODE_COMMAND: cmd_take(c); break;
	case MODE_SASL: cmd_auth_line(c, frame_text(&c->frame)); break;
	case MODE_IDLE: cmd_idle_line(c, frame_text(&c->frame)); break;
	}
}

bool
input_next(struct client *c)
{
	struct slice in = buf_slice(&c->conn.in), bytes;
	enum frame_event ev;
	size_t used;

	if (is_tls_hello(c, in)) {
		log_warn(c->id, "tls-on-plain-port", "peer=%s", c->conn.peer);
		client_close(c, "tls-on-plain-port");
		return false;
	}
	ev = frame_next(&c->frame, in, &used, &bytes);
	if (ev == FRAME_STREAM)
		append_bytes(c, bytes);
	conn_consume(&c->conn, used);
	switch (ev) {
	case FRAME_MORE: return false;
	case FRAME_COMMAND: on_line(c); break;
	case FRAME_LITERAL: on_literal(c); break;
	case FRAME_STREAM: append_spill(c); break;
	case FRAME_STREAM_END: append_end(c); break;
	case FRAME_BAD: on_bad(c); break;
	}
	return true;
}
