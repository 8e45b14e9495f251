#include "lib/mail/mime.h"

#include <string.h>

#include "lib/base/cset.h"
#include "lib/mail/mime_head.h"

enum {
	DEPTH = 100,
	DEPTH_MAX = 250,
	PARTS = 10000,
	PARAMS = 20000,
	HEADER_BYTES = 1 << 20,
	BOUNDARY_MAX = 250, /* 70 in RFC 2046 5.1.1; some are longer */
	NUL_BLOCK = 64 << 10
};

/* An open multipart. */
struct frame {
	struct mime_part *part;
	struct slice boundary;
};

/* A boundary line. */
struct hit {
	size_t frame;      /* whose it is */
	bool close;        /* "--" behind the boundary */
	const char *line;  /* where it starts */
	const char *after; /* behind its line end */
};

struct parser {
	struct mime_head head;
	struct mime_limits lim;
	const char *base, *p, *end;
	uint64_t nl; /* LFs before p */
	uint32_t nparts, depth;
	struct frame *stack;
	size_t nstack;
	const char *nul_checked;
	bool any_nul;
	struct mime_part *root, *cur;
};

static uint64_t
pos(const struct parser *x, const char *p)
{
	return (uint64_t)(p - x->base);
}

/*
 * Counts LFs, and notes any NUL, sixteen bytes at a time; a lane's count is
 * taken before it can pass 255.
 */
typedef unsigned char vec __attribute__((vector_size(16)));

static uint64_t
count_lf(const char *p, size_t n, bool *nul)
{
	uint64_t total = 0;

	while (n >= sizeof(vec)) {
		size_t k = n / sizeof(vec) < 255 ? n / sizeof(vec) : 255;
		vec lf = { 0 }, zero = { 0 }, v;

		n -= k * sizeof(vec);
		for (; k != 0; k--, p += sizeof(vec)) {
			memcpy(&v, p, sizeof(v));
			lf -= (vec)(v == '\n');
			zero |= (vec)(v == 0);
		}
		for (size_t i = 0; i < sizeof(vec); i++) {
			total += lf[i];
			*nul |= zero[i] != 0;
		}
	}
	for (; n != 0; n--, p++) {
		total += *p == '\n';
		*nul |= *p == '\0';
	}
	return total;
}

/* Looks for a NUL a block ahead of the lines, while it is in the cache. */
static void
check_nul(struct parser *x)
{
	while (
	    !x->any_nul && x->p >= x->nul_checked && x->nul_checked != x->end) {
		size_t n = (size_t)(x->end - x->nul_checked);

		if (n > NUL_BLOCK)
			n = NUL_BLOCK;
		x->any_nul = memchr(x->nul_checked, '\0', n) != NULL;
		x->nul_checked += n;
	}
}

/*
 * delimiter := CRLF "--" boundary; close-delimiter := delimiter "--"; both may
 * be followed by blanks (RFC 2046 5.1.1).  The whole line must be that: in
 * mail of Eudora the outer boundary begins like the inner one.
 */
static bool
match(const struct parser *x, struct hit *h)
{
	const char *nl = memchr(x->p, '\n', (size_t)(x->end - x->p));
	const char *stop = nl != NULL ? nl : x->end;
	struct slice s;

	h->line = x->p;
	h->after = nl != NULL ? nl + 1 : x->end;
	while (stop[-1] == ' ' || stop[-1] == '\t' || stop[-1] == '\r')
		stop--;
	s = slice_of(x->p + 2, stop - x->p > 2 ? (size_t)(stop - x->p) - 2 : 0);
	if (s.n > BOUNDARY_MAX + 2)
		return false;
	for (h->frame = x->nstack; h->frame-- != 0;) {
		struct slice b = x->stack[h->frame].boundary;

		if (s.n != b.n && s.n != b.n + 2)
			continue;
		if (memcmp(s.p, b.p, b.n) != 0)
			continue;
		h->close = s.n != b.n;
		if (!h->close || memcmp(s.p + b.n, "--", 2) == 0)
			return true;
	}
	return false;
}

static bool
is_boundary(const struct parser *x, struct hit *h)
{
	return x->nstack != 0 && x->end - x->p > 2 && x->p[0] == '-' &&
	       x->p[1] == '-' && match(x, h);
}

/* Moves behind the next LF. */
static void
next_line(struct parser *x)
{
	const char *nl = memchr(x->p, '\n', (size_t)(x->end - x->p));

	x->p = nl != NULL ? nl + 1 : x->end;
	x->nl += nl != NULL;
	check_nul(x);
}

/* Body bytes up to the next boundary line (true) or the end. */
static bool
scan_body(struct parser *x, struct hit *h)
{
	if (x->nstack == 0) {
		x->nl += count_lf(x->p, (size_t)(x->end - x->p), &x->any_nul);
		x->p = x->nul_checked = x->end;
		return false;
	}
	while (x->p != x->end) {
		if (is_boundary(x, h))
			return true;
		next_line(x);
	}
	return false;
}

static bool
empty_line(const struct parser *x)
{
	return *x->p == '\n' ||
	       (*x->p == '\r' && x->end - x->p > 1 && x->p[1] == '\n');
}

/* Hands on the field that ends at p, if it is wanted and within the limit. */
static void
end_field(struct parser *x, const char **field)
{
	uint64_t end = pos(x, x->p) - x->cur->head_off;

	if (*field == NULL)
		return;
	if (end <= x->lim.header_bytes)
		mime_head_field(&x->head, x->cur,
		    slice_of(*field, (size_t)(x->p - *field)));
	else
		x->head.truncated = true;
	*field = NULL;
}

/* The header of cur up to its empty line, the end, or a boundary (true). */
static bool
scan_header(struct parser *x, struct hit *h)
{
	const char *field = NULL;
	bool hit = false;

	while (x->p != x->end && !hit) {
		if (*x->p == ' ' || *x->p == '\t') {
			next_line(x);
			continue;
		}
		end_field(x, &field);
		if (empty_line(x)) {
			next_line(x);
			break;
		}
		if (mime_head_wants(x->p, (size_t)(x->end - x->p)))
			field = x->p;
		hit = is_boundary(x, h);
		if (!hit)
			next_line(x);
	}
	end_field(x, &field);
	return hit;
}

struct slice
mime_param_find(const struct mime_param *params, struct slice name)
{
	for (; params != NULL; params = params->next)
		if (slice_ieq(params->name, name))
			return params->value;
	return (struct slice){ NULL, 0 };
}

/* The boundary as it is matched; p == NULL: there is none to use. */
static struct slice
boundary_of(const struct mime_part *part)
{
	struct slice b = mime_param_find(part->params, SLICE("boundary"));

	while (b.n != 0 && cset_has(&cset_wsp, b.p[b.n - 1]))
		b.n--;
	if (b.n == 0 || b.n > BOUNDARY_MAX)
		b.p = NULL;
	return b;
}

static struct mime_part *
new_part(struct parser *x, struct mime_part *parent)
{
	struct mime_part *part = arena_alloc(x->head.a, sizeof(*part));

	x->nparts++;
	part->parent = parent;
	part->head_off = part->body_off = pos(x, x->p);
	return part;
}

static bool
is_message(const struct mime_part *part)
{
	return slice_ieq_str(part->type, "message") &&
	       (slice_ieq_str(part->subtype, "rfc822") ||
		   slice_ieq_str(part->subtype, "global"));
}

/* What kind of part its header makes it, within the limits. */
static void
set_kind(struct parser *x, struct mime_part *part)
{
	struct mime_part *up = part->parent;
	bool over = x->depth >= x->lim.depth || x->nparts >= x->lim.parts;

	mime_head_done(part, up != NULL && up->kind == MIME_MULTIPART &&
				 slice_ieq_str(up->subtype, "digest"));
	if (slice_ieq_str(part->type, "multipart"))
		part->kind = MIME_MULTIPART;
	else if (is_message(part))
		part->kind = MIME_MESSAGE;
	else
		return;
	/* RFC 2046 5.2.1: a message has no encoding but these three.  One that
	 * has cannot be looked into without decoding. */
	if (part->kind == MIME_MESSAGE && part->cte > MIME_BINARY) {
		part->kind = MIME_LEAF;
		part->opaque = true;
	} else if (over) {
		part->kind = MIME_LEAF;
		part->opaque = true;
		x->head.truncated = true;
	}
}

static void
find_nul(const struct parser *x, struct mime_part *part, uint64_t end)
{
	const char *from = x->base + part->head_off;

	if (x->any_nul && end != part->head_off)
		part->has_nul =
		    memchr(from, '\0', end - part->head_off) != NULL;
}

/* A part for a multipart that has none.  RFC 9051 9 wants at least one: an
 * empty one; or all of the body where no boundary was given. */
static void
add_only_part(struct parser *x, struct mime_part *part, uint64_t end)
{
	bool whole = boundary_of(part).p == NULL;
	struct mime_part *only = new_part(x, part);

	part->child = only;
	only->head_off = only->body_off = whole ? part->body_off : end;
	only->body_len = end - only->body_off;
	only->lines = whole ? part->lines : 0;
	mime_head_done(only, false);
	find_nul(x, only, end);
}

/* Ends one part at `end`, before which there are nl LFs. */
static void
close_part(struct parser *x, struct mime_part *part, uint64_t end, uint64_t nl)
{
	part->body_len = end - part->body_off;
	part->lines = nl - part->lines;
	if (part->kind == MIME_MULTIPART && part->child == NULL)
		add_only_part(x, part, end);
	if (part->kind == MIME_LEAF)
		find_nul(x, part, end);
}

/* Closes cur and its parents up to, not with, `upto`. */
static void
close_parts(struct parser *x, struct mime_part *upto, uint64_t end, uint64_t nl)
{
	while (x->cur != upto) {
		close_part(x, x->cur, end, nl);
		x->cur = x->cur->parent;
		x->depth--;
	}
}

/* Where the body before a boundary line ends: the line end belongs to the
 * boundary (RFC 2046 5.1.1), unless it is the header's. */
static void
at_boundary(struct parser *x, const struct hit *h, struct mime_part *owner)
{
	const char *stop = h->line;
	const char *least = x->base + x->cur->body_off;
	uint64_t nl = x->nl;

	if (stop > least && stop[-1] == '\n') {
		stop--;
		nl--;
		if (stop > least && stop[-1] == '\r')
			stop--;
	}
	close_parts(x, owner, pos(x, stop), nl);
}

/* The last part of this multipart, found in constant time for the parser
 * keeps it in `message`, which multiparts do not use. */
static void
append_child(struct mime_part *part, struct mime_part *child)
{
	if (part->child == NULL)
		part->child = child;
	else
		part->message->next = child;
	part->message = child;
}

/* Acts on a boundary line; true when a new part starts there. */
static bool
take_boundary(struct parser *x, const struct hit *h)
{
	struct mime_part *owner = x->stack[h->frame].part, *child;

	at_boundary(x, h, owner);
	x->nstack = h->frame + !h->close;
	x->p = h->line;
	next_line(x);
	if (h->close)
		return false;
	if (x->nparts >= x->lim.parts) {
		x->head.truncated = true;
		return false;
	}
	child = new_part(x, owner);
	append_child(owner, child);
	x->cur = child;
	x->depth++;
	return true;
}

/* Reads headers from cur on, down through encapsulated messages, until there
 * is a body to scan (false) or a boundary line (true). */
static bool
enter(struct parser *x, struct hit *h)
{
	for (;;) {
		struct mime_part *part = x->cur;
		bool hit = scan_header(x, h);
		struct slice b;

		part->body_off = pos(x, x->p);
		part->lines = x->nl;
		set_kind(x, part);
		b = boundary_of(part);
		if (part->kind == MIME_MULTIPART && !hit && b.p != NULL) {
			x->stack[x->nstack].part = part;
			x->stack[x->nstack++].boundary = b;
		}
		if (part->kind != MIME_MESSAGE)
			return hit;
		part->message = x->cur = new_part(x, part);
		x->depth++;
		if (hit) {
			x->cur->lines = x->nl;
			mime_head_done(x->cur, false);
			return true;
		}
	}
}

static void
set_limits(struct mime_limits *lim, const struct mime_limits *want)
{
	*lim = want != NULL ? *want : (struct mime_limits){ 0 };
	if (lim->depth == 0)
		lim->depth = DEPTH;
	if (lim->depth > DEPTH_MAX)
		lim->depth = DEPTH_MAX;
	if (lim->parts == 0)
		lim->parts = PARTS;
	if (lim->params == 0)
		lim->params = PARAMS;
	if (lim->header_bytes == 0)
		lim->header_bytes = HEADER_BYTES;
}

/* The parser's use of `message` in multiparts, undone. */
static void
forget_last(struct mime_part *root)
{
	struct mime_part *part = root, *down;

	while (part != NULL) {
		down = part->child;
		if (part->kind == MIME_MULTIPART)
			part->message = NULL;
		else
			down = part->message;
		if (down != NULL) {
			part = down;
			continue;
		}
		while (part != NULL && part->next == NULL)
			part = part->parent;
		if (part != NULL)
			part = part->next;
	}
}

struct mime_part *
mime_parse(struct arena *a, struct slice msg, const struct mime_limits *limits)
{
	struct parser x = { .head.a = a };
	struct hit h = { 0 };
	bool hit;

	if (msg.p == NULL)
		msg = SLICE("");
	x.base = x.p = x.nul_checked = msg.p;
	x.end = msg.p + msg.n;
	set_limits(&x.lim, limits);
	x.head.params_left = x.lim.params;
	x.root = x.cur = new_part(&x, NULL);
	x.stack = arena_alloc(a, (x.lim.depth + 1) * sizeof(*x.stack));
	check_nul(&x);
	hit = enter(&x, &h) || scan_body(&x, &h);
	while (hit) {
		if (take_boundary(&x, &h))
			hit = enter(&x, &h) || scan_body(&x, &h);
		else
			hit = scan_body(&x, &h);
	}
	close_parts(&x, NULL, pos(&x, x.end), x.nl);
	forget_last(x.root);
	x.root->has_nul = x.any_nul;
	x.root->truncated = x.head.truncated;
	return x.root;
}

bool
mime_read_header(struct arena *a, struct slice msg, struct mime_part *part,
    const struct mime_limits *limits)
{
	struct parser x = { .head.a = a, .cur = part };
	struct mime_part *up = part->parent;
	enum mime_cte cte = part->cte;
	struct hit h;

	if (part->body_off > msg.n || part->head_off > part->body_off)
		return false;
	set_limits(&x.lim, limits);
	x.head.params_left = x.lim.params;
	x.base = msg.p;
	x.p = msg.p + part->head_off;
	x.end = x.nul_checked = msg.p + part->body_off;
	part->type = part->encoding = part->disposition = (struct slice){ 0 };
	part->id = part->description = part->md5 = part->location =
	    (struct slice){ 0 };
	part->params = part->disp_params = NULL;
	part->langs = NULL;
	(void)scan_header(&x, &h);
	mime_head_done(part, up != NULL && up->type.p != NULL &&
				 slice_ieq_str(up->subtype, "digest") &&
				 slice_ieq_str(up->type, "multipart"));
	part->cte = cte;
	return true;
}
