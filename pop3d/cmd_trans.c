#include "pop3d/cmd.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/log.h"
#include "pop3d/resp.h"

enum { CHUNK = 64 << 10 };

static bool
is_gone(const struct client *c, uint32_t seq)
{
	return c->gone[seq / 8] & (1u << seq % 8);
}

/* The message that an argument names: in range and not deleted. */
static bool
want_msg(struct client *c, struct slice arg, uint32_t *seq_out)
{
	if (!pop3_number(arg, seq_out) || *seq_out == 0 ||
	    *seq_out > view_count(c->view)) {
		resp_err(&c->s.out, "no such message, there are %u",
		    view_count(c->view));
		return false;
	}
	if (is_gone(c, *seq_out)) {
		resp_err(&c->s.out, "message %u is deleted", *seq_out);
		return false;
	}
	return true;
}

/* Walks the messages of the snapshot that are still in the store. */
static int
next_listed(struct client *c, struct msg_iter *it, struct msg_meta *m,
    uint32_t *seq_out)
{
	int rc;

	while ((rc = msg_iter_next(it, m)) == 0)
		if ((*seq_out = view_seq(c->view, m->uid)) != 0 &&
		    !is_gone(c, *seq_out))
			return 0;
	return rc;
}

static int
sum_sizes(struct client *c, uint64_t *bytes_out)
{
	struct msg_iter *it = NULL;
	struct msg_meta m;
	uint32_t seq;
	int rc;

	*bytes_out = 0;
	rc = msg_iter_open(c->s.sl->srv->store, c->who.account,
	    view_folder(c->view), NULL, 0, 1, MSG_WANT_INFO, &it);
	if (rc != 0)
		return rc;
	while ((rc = next_listed(c, it, &m, &seq)) == 0)
		*bytes_out += m.size;
	msg_iter_close(&it);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* Nothing deleted: the folder's counts say it all. */
void
pop3_stat(struct client *c, const struct pop3_line *l)
{
	uint64_t bytes = c->total_bytes;
	int rc;

	(void)l;
	if (c->ngone != 0 && (rc = sum_sizes(c, &bytes)) != 0) {
		resp_fail(&c->s.out, rc, "");
		return;
	}
	resp_ok(
	    &c->s.out, "%u %" PRIu64, view_count(c->view) - c->ngone, bytes);
}

static void
put_listed(struct client *c, uint32_t seq, const struct msg_meta *m)
{
	buf_add_u64(&c->s.out, seq);
	buf_add_char(&c->s.out, ' ');
	if (c->listing.uidl)
		buf_add_slice(&c->s.out, m->uidl);
	else
		buf_add_u64(&c->s.out, m->size);
	buf_add(&c->s.out, "\r\n", 2);
}

static bool
more_list(struct session *s)
{
	struct client *c = client_of(s);
	size_t mark = c->s.sl->srv->conf->output_high_water;
	struct msg_meta m;
	uint32_t seq;
	int rc;

	while ((rc = next_listed(c, c->listing.it, &m, &seq)) == 0) {
		put_listed(c, seq, &m);
		if (buf_len(&c->s.out) >= mark)
			return false;
	}
	msg_iter_close(&c->listing.it);
	if (rc != ERR_NOTFOUND) {
		/* The list has begun: only the end of it all is honest. */
		log_error(c->s.id, "list", "error=%s", err_name(rc));
		c->s.quitting = true;
		return true;
	}
	buf_add_str(&c->s.out, ".\r\n");
	return true;
}

static void
list_one(struct client *c, struct slice arg)
{
	struct msg_iter *it = NULL;
	struct msg_meta m;
	struct view_msg vm;
	uint32_t seq;
	int rc;

	if (!want_msg(c, arg, &seq))
		return;
	view_get(c->view, seq, &vm);
	rc = msg_iter_open(c->s.sl->srv->store, c->who.account,
	    view_folder(c->view), &vm.uid, 1, 0, MSG_WANT_INFO, &it);
	if (rc == 0)
		rc = msg_iter_next(it, &m);
	if (rc == 0) {
		buf_add_str(&c->s.out, "+OK ");
		put_listed(c, seq, &m);
	} else {
		resp_fail(&c->s.out, rc, "");
	}
	msg_iter_close(&it);
}

static void
list_or_uidl(struct client *c, const struct pop3_line *l, bool uidl)
{
	int rc;

	c->listing.uidl = uidl;
	if (l->nargs != 0) {
		list_one(c, l->arg[0]);
		return;
	}
	rc = msg_iter_open(c->s.sl->srv->store, c->who.account,
	    view_folder(c->view), NULL, 0, 1, MSG_WANT_INFO, &c->listing.it);
	if (rc != 0) {
		resp_fail(&c->s.out, rc, "");
		return;
	}
	resp_ok(&c->s.out, "%u messages", view_count(c->view) - c->ngone);
	c->s.more = more_list;
}

void
pop3_list(struct client *c, const struct pop3_line *l)
{
	list_or_uidl(c, l, false);
}

void
pop3_uidl(struct client *c, const struct pop3_line *l)
{
	list_or_uidl(c, l, true);
}

/* CLIENTS: Outlook hangs on NUL; 0x80 has the same length. */
static void
map_nul(char *p, size_t n)
{
	char *end = p + n;

	while (p != end && (p = memchr(p, '\0', (size_t)(end - p))) != NULL)
		*p++ = (char)0x80;
}

/* How much of the chunk TOP may still show: the header, then n lines. */
static size_t
clip_lines(struct reading *r, struct slice chunk)
{
	size_t head = 0, at;

	if (r->lines_left < 0)
		return chunk.n;
	if (r->at < r->meta.header_bytes)
		head = r->meta.header_bytes - r->at;
	if (head >= chunk.n)
		return chunk.n;
	for (at = head; r->lines_left > 0 && at < chunk.n; r->lines_left--) {
		at += slice_chr(slice_from(chunk, at), '\n');
		if (at == chunk.n)
			break;
		at++;
	}
	return at;
}

/* CLIENTS: old programs need the blank line even when the message has none.
 * True of a message that is all header and does not end in one. */
static bool
lacks_blank(const struct reading *r, struct slice chunk)
{
	return r->meta.header_bytes >= r->meta.size &&
	       (chunk.n < 4 || !slice_eq(slice_from(chunk, chunk.n - 4),
				   SLICE("\r\n\r\n")));
}

static void
put_chunk(struct client *c, struct slice chunk)
{
	struct reading *r = &c->reading;
	size_t show = clip_lines(r, chunk);

	dotted_stuff(&c->s.out, slice_sub(chunk, 0, show), &r->dots);
	r->at = show < chunk.n ? r->meta.size : r->at + show;
	if (r->at < r->meta.size || !lacks_blank(r, chunk))
		return;
	if (chunk.p[chunk.n - 1] != '\n')
		dotted_stuff(&c->s.out, SLICE("\r\n"), &r->dots);
	dotted_stuff(&c->s.out, SLICE("\r\n"), &r->dots);
}

static bool
more_retr(struct session *s)
{
	struct client *c = client_of(s);
	struct reading *r = &c->reading;
	struct buf chunk;
	int rc;

	buf_init(&chunk, 2 << 20);
	rc = msg_read(c->s.sl->srv->store, &r->meta, r->at,
	    r->meta.size <= 1 << 20 ? r->meta.size : CHUNK, &chunk);
	if (rc == 0 && buf_len(&chunk) == 0 && r->meta.size != 0)
		rc = ERR_CORRUPT;
	if (rc != 0) {
		log_error(c->s.id, "read", "uid=%u error=%s", r->meta.uid,
		    err_name(rc));
		if (!r->begun)
			resp_fail(&c->s.out, rc, "");
		/* Half a message must not look whole: no final dot. */
		c->s.quitting = r->begun;
		buf_fini(&chunk);
		arena_clear(&r->arena);
		return true;
	}
	if (!r->begun)
		resp_ok(&c->s.out, "%" PRIu64 " octets", r->meta.size);
	r->begun = true;
	if (buf_len(&chunk) != 0) {
		map_nul(chunk.p + chunk.start, buf_len(&chunk));
		put_chunk(c, buf_slice(&chunk));
	}
	buf_fini(&chunk);
	if (r->at < r->meta.size)
		return false;
	dotted_stuff_end(&c->s.out, &r->dots);
	arena_clear(&r->arena);
	return true;
}

static void
start_reading(struct client *c, uint32_t seq, int64_t lines)
{
	struct reading *r = &c->reading;
	struct view_msg vm;
	int rc;

	view_get(c->view, seq, &vm);
	rc = msg_meta_get(c->s.sl->srv->store, c->who.account,
	    view_folder(c->view), vm.uid, &r->arena, &r->meta);
	if (rc != 0) {
		resp_fail(&c->s.out, rc,
		    rc == ERR_NOTFOUND
			? "the message was deleted by another program"
			: "");
		arena_clear(&r->arena);
		return;
	}
	r->at = 0;
	r->lines_left = lines;
	r->begun = false;
	dotted_enc_init(&r->dots, true);
	c->retrieved += lines < 0;
	c->s.more = more_retr;
}

void
pop3_retr(struct client *c, const struct pop3_line *l)
{
	uint32_t seq;

	if (want_msg(c, l->arg[0], &seq))
		start_reading(c, seq, -1);
}

/* RFC 1939 7: lines of the body, counted. */
void
pop3_top(struct client *c, const struct pop3_line *l)
{
	uint32_t seq, lines;

	if (l->nargs != 2 || !pop3_number(l->arg[1], &lines))
		resp_err(
		    &c->s.out, "TOP takes a message and a number of lines");
	else if (want_msg(c, l->arg[0], &seq))
		start_reading(c, seq, lines);
}

void
pop3_dele(struct client *c, const struct pop3_line *l)
{
	uint32_t seq;

	if (!want_msg(c, l->arg[0], &seq))
		return;
	c->gone[seq / 8] |= (uint8_t)(1u << seq % 8);
	c->ngone++;
	resp_ok(&c->s.out, "message %u will be deleted", seq);
}

void
pop3_rset(struct client *c, const struct pop3_line *l)
{
	(void)l;
	memset(c->gone, 0, view_count(c->view) / 8 + 1);
	c->ngone = 0;
	resp_ok(&c->s.out, "%u messages", view_count(c->view));
}
