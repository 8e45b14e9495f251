#include "imapd/rawlog.h"

#include <stdlib.h>
#include <string.h>

#include "auth/network.h"
#include "lib/base/buf.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"

enum {
	PIECE = 200, /* as much as log_q() shows */
	SHOWN_MAX = 2000,
	TAIL = 24, /* "{18446744073709551615}" */
	FOLDED_MAX = 200
};

struct rawlog {
	const char *id;
	struct buf line; /* to the peer, so far; cut */
	char tail[TAIL]; /* the last bytes of it, cut or not */
	size_t tail_n;
	uint64_t literal; /* bytes of it still to come */
	bool cr, cut;
};

/* "web100p1", or a network. */
static bool
names(struct slice word, const char *account, const char *ip)
{
	struct buf folded;
	struct err e;
	bool is;

	if (slice_chr(word, '.') == word.n && slice_chr(word, ':') == word.n)
		return slice_eq(word, slice_str(account));
	buf_init(&folded, FOLDED_MAX);
	is = network_fold(word, &folded, &e) == 0 && !buf_failed(&folded) &&
	     buf_len(&folded) != 0 && ip[0] != '\0' &&
	     network_allows(buf_slice(&folded), ip);
	buf_fini(&folded);
	return is;
}

struct rawlog *
rawlog_new(const struct conf_list *list, const char *id, const char *account,
    const char *ip)
{
	struct rawlog *r;

	for (size_t i = 0; i < list->n; i++) {
		if (!names(slice_str(list->v[i]), account, ip))
			continue;
		r = xcalloc(1, sizeof(*r));
		r->id = id;
		buf_init(&r->line, SHOWN_MAX);
		return r;
	}
	return NULL;
}

void
rawlog_free(struct rawlog **rp)
{
	struct rawlog *r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	buf_fini(&r->line);
	free(r);
}

/* The log takes a line in pieces. */
static void
say(const struct rawlog *r, const char *event, struct slice text, bool cut)
{
	do {
		struct slice piece = slice_sub(text, 0, PIECE);

		text = slice_from(text, piece.n);
		log_info(r->id, event, "line=%s%s", log_q(piece),
		    text.n != 0 ? " more=1"
		    : cut       ? " cut=1"
				: "");
	} while (text.n != 0);
}

static bool
is_one_of(struct slice word, const struct slice *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_ieq(word, v[i]))
			return true;
	return false;
}

/* How many bytes of a command may be shown: all, or up to what may be a
 * password.  People also leave out the tag. */
static size_t
shown(struct slice text, enum rawlog_how how)
{
	static const struct slice secret[] = { SLICE("LOGIN"),
		SLICE("AUTHENTICATE") };
	static const struct slice early[] = { SLICE("CAPABILITY"),
		SLICE("NOOP"), SLICE("LOGOUT"), SLICE("ID"),
		SLICE("STARTTLS") };
	struct slice rest = text, word[3] = { { NULL, 0 } };

	for (size_t i = 0; i < PH_LEN(word); i++) {
		if (!slice_split(&rest, ' ', &word[i]))
			break;
		if (is_one_of(word[i], secret, PH_LEN(secret)))
			return (size_t)(word[i].p - text.p) + word[i].n;
	}
	if (how == RAWLOG_ALL ||
	    (how == RAWLOG_EARLY && is_one_of(word[1], early, PH_LEN(early))))
		return text.n;
	return 0;
}

void
rawlog_in(struct rawlog *r, struct slice text, enum rawlog_how how)
{
	size_t n;

	if (r == NULL)
		return;
	n = how == RAWLOG_SECRET ? 0 : shown(text, how);
	if (n > SHOWN_MAX)
		n = SHOWN_MAX;
	say(r, "raw-in", slice_sub(text, 0, n), n < text.n);
}

/* The literal that a line announces; 0: none. */
static uint64_t
announced(struct slice line)
{
	size_t open = slice_rchr(line, '{');
	uint64_t n;

	if (line.n < 3 || line.p[line.n - 1] != '}' || open == line.n ||
	    !num_parse(slice_sub(line, open + 1, line.n - open - 2),
		UINT64_MAX - 1, &n))
		return 0;
	return n;
}

static void
end_line(struct rawlog *r)
{
	struct slice line = buf_slice(&r->line);

	/* A challenge of AUTHENTICATE is a secret's shadow. */
	if (slice_starts(line, SLICE("+ ")))
		line = slice_sub(line, 0, 1);
	say(r, "raw-out", line, r->cut);
	r->literal = announced(slice_of(r->tail, r->tail_n));
	r->tail_n = 0;
	r->cut = false;
	buf_clear(&r->line);
}

static void
add_tail(struct rawlog *r, char ch)
{
	if (r->tail_n == TAIL)
		memmove(r->tail, r->tail + 1, --r->tail_n);
	r->tail[r->tail_n++] = ch;
}

static void
add(struct rawlog *r, char ch)
{
	if (r->cr && ch == '\n')
		end_line(r);
	else if (ch != '\r') {
		add_tail(r, ch);
		if (buf_len(&r->line) < SHOWN_MAX)
			buf_add_char(&r->line, ch);
		else
			r->cut = true;
	}
	r->cr = ch == '\r';
}

void
rawlog_out(struct rawlog *r, struct slice bytes)
{
	size_t n;

	while (r != NULL && bytes.n != 0) {
		if (r->literal != 0) {
			n = bytes.n < r->literal ? bytes.n : (size_t)r->literal;
			r->literal -= n;
			bytes = slice_from(bytes, n);
		} else {
			add(r, bytes.p[0]);
			bytes = slice_from(bytes, 1);
		}
	}
}
