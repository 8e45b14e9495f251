#include "imapd/search_text.h"

#include <stdlib.h>
#include <string.h>

#include "imapd/fold.h"
#include "lib/base/mem.h"
#include "lib/mail/charset.h"
#include "lib/mail/decode.h"
#include "lib/mail/header.h"
#include "lib/mail/mime_index.h"

enum {
	CHUNK = 64 << 10,
	WHOLE_MAX = 256 << 10, /* read at once */
	HEADER_MAX = 1 << 20,
	TEXT_MAX = 16 << 20 /* ceilings; never reached with CHUNK */
};

struct text_hunt {
	struct store *store;
	struct text_key *keys;
	size_t nkeys;
	size_t overlap; /* the longest needle, less one */
	const struct msg_meta *m;
	bool in_header; /* only keys with `header` count */
	bool is_whole;
	struct buf whole, raw, plain, utf8;
	struct buf window; /* folded text that no needle was found in yet */
};

struct text_hunt *
text_hunt_new(struct store *s, struct text_key *keys, size_t n)
{
	struct text_hunt *h = xcalloc(1, sizeof(*h));

	h->store = s;
	h->keys = keys;
	h->nkeys = n;
	for (size_t i = 0; i < n; i++)
		if (keys[i].needle.n > h->overlap + 1)
			h->overlap = keys[i].needle.n - 1;
	buf_init(&h->whole, WHOLE_MAX);
	buf_init(&h->raw, HEADER_MAX);
	buf_init(&h->plain, TEXT_MAX);
	buf_init(&h->utf8, TEXT_MAX);
	buf_init(&h->window, TEXT_MAX);
	return h;
}

void
text_hunt_free(struct text_hunt **hp)
{
	struct text_hunt *h = *hp;

	if (h == NULL)
		return;
	buf_fini(&h->whole);
	buf_fini(&h->raw);
	buf_fini(&h->plain);
	buf_fini(&h->utf8);
	buf_fini(&h->window);
	free(h);
	*hp = NULL;
}

static bool
all_hit(const struct text_hunt *h)
{
	for (size_t i = 0; i < h->nkeys; i++)
		if (!h->keys[i].hit)
			return false;
	return true;
}

/* Bytes of the message, borrowed until the next call. */
static int
read_at(struct text_hunt *h, uint64_t off, size_t n, struct slice *out)
{
	int rc;

	if (h->is_whole) {
		*out = slice_sub(buf_slice(&h->whole), off, n);
		return 0;
	}
	buf_clear(&h->raw);
	rc = msg_read(h->store, h->m, off, n, &h->raw);
	*out = buf_slice(&h->raw);
	return rc;
}

/* More text of the same piece: searched together with the end of what came
 * before. */
static void
look(struct text_hunt *h, struct slice utf8)
{
	struct slice win;

	fold_add(&h->window, utf8);
	win = buf_slice(&h->window);
	for (size_t i = 0; i < h->nkeys; i++) {
		struct text_key *k = &h->keys[i];

		if (k->hit || (h->in_header && !k->header))
			continue;
		k->hit = win.n >= k->needle.n &&
			 memmem(win.p, win.n, k->needle.p, k->needle.n) != NULL;
	}
	if (win.n > h->overlap)
		buf_consume(&h->window, win.n - h->overlap);
}

/* A header block: each field unfolded and decoded. */
static void
look_at_header(struct text_hunt *h, struct slice block)
{
	struct header f;

	while (header_next(&block, &f) && !all_hit(h)) {
		buf_clear(&h->plain);
		buf_clear(&h->utf8);
		buf_clear(&h->window);
		header_unfold(&h->plain, f.raw);
		decode_words(&h->utf8, buf_slice(&h->plain));
		look(h, buf_slice(&h->utf8));
	}
	buf_clear(&h->window);
}

static int
header_at(struct text_hunt *h, uint64_t off, uint64_t n)
{
	struct slice block;
	int rc;

	if (n > HEADER_MAX)
		n = HEADER_MAX;
	if ((rc = read_at(h, off, n, &block)) == 0)
		look_at_header(h, block);
	return rc;
}

/* The charset of a text part, from its own header. */
static int
charset_of(struct text_hunt *h, const struct mime_part *part, struct arena *a,
    struct slice *out)
{
	struct mime_part own = *part;
	uint64_t n = part->body_off - part->head_off;
	struct slice block, raw;
	int rc;

	*out = SLICE("");
	if (n > HEADER_MAX)
		return 0;
	rc = read_at(h, h->m->prefix.n + part->head_off, n, &block);
	if (rc != 0 || block.n != n)
		return rc;
	own.head_off = 0;
	own.body_off = n;
	own.body_len = 0;
	if (mime_read_header(a, block, &own, NULL)) {
		raw = mime_param_find(own.params, SLICE("charset"));
		*out = arena_copy(a, raw);
	}
	return 0;
}

struct pipe {
	struct decoder decoder;
	struct charset charset;
};

static enum decode_kind
kind_of(const struct mime_part *part)
{
	switch (part->cte) {
	case MIME_BASE64: return DECODE_BASE64;
	case MIME_QP: return DECODE_QP;
	default: return DECODE_NONE;
	}
}

static void
pump(struct text_hunt *h, struct pipe *p, struct slice raw, bool last)
{
	buf_clear(&h->plain);
	buf_clear(&h->utf8);
	decode_feed(&p->decoder, raw, &h->plain);
	if (last)
		decode_finish(&p->decoder, &h->plain);
	charset_feed(&p->charset, buf_slice(&h->plain), &h->utf8);
	if (last)
		charset_finish(&p->charset, &h->utf8);
	look(h, buf_slice(&h->utf8));
}

static int
look_at_text(struct text_hunt *h, const struct mime_part *part, struct arena *a)
{
	uint64_t off = h->m->prefix.n + part->body_off;
	uint64_t left = part->body_len;
	struct slice name, raw;
	struct pipe p;
	int rc;

	if ((rc = charset_of(h, part, a, &name)) != 0)
		return rc;
	decode_init(&p.decoder, kind_of(part));
	(void)charset_init(&p.charset, name);
	do {
		size_t n = left < CHUNK ? (size_t)left : CHUNK;

		if ((rc = read_at(h, off, n, &raw)) != 0)
			break;
		off += n;
		left -= n;
		pump(h, &p, raw, left == 0);
	} while (left != 0 && !all_hit(h));
	charset_fini(&p.charset);
	buf_clear(&h->window);
	return rc;
}

/* The part behind this one in the tree, or NULL. */
static const struct mime_part *
next_part(const struct mime_part *part)
{
	if (part->child != NULL)
		return part->child;
	if (part->message != NULL)
		return part->message;
	while (part != NULL && part->next == NULL)
		part = part->parent;
	return part != NULL ? part->next : NULL;
}

static int
look_at_parts(
    struct text_hunt *h, const struct mime_part *root, struct arena *a)
{
	int rc = 0;

	for (const struct mime_part *p = root;
	     p != NULL && rc == 0 && !all_hit(h); p = next_part(p)) {
		/* The header of a message inside belongs to the body. */
		if (p != root && p->parent != NULL && p->parent->message == p)
			rc = header_at(h, h->m->prefix.n + p->head_off,
			    p->body_off - p->head_off);
		if (rc == 0 && p->kind == MIME_LEAF && p->is_text)
			rc = look_at_text(h, p, a);
	}
	return rc;
}

static int
load_tree(struct text_hunt *h, struct arena *a, struct mime_part **root)
{
	const struct msg_meta *m = h->m;
	struct buf all;
	int rc;

	if (m->structure.p != NULL && mime_load(m->structure, a, root) &&
	    mime_end(*root) == m->size - m->prefix.n)
		return 0;
	/* The index did not keep it: an odd message, read in one piece. */
	buf_init(&all, m->size + 1);
	rc = msg_read(h->store, m, m->prefix.n, m->size, &all);
	if (rc == 0)
		*root = mime_parse(a, arena_copy(a, buf_slice(&all)), NULL);
	buf_fini(&all);
	return rc;
}

int
text_hunt_run(struct text_hunt *h, const struct msg_meta *m)
{
	struct mime_part *root = NULL;
	struct arena a;
	int rc = 0;

	arena_init(&a);
	h->m = m;
	for (size_t i = 0; i < h->nkeys; i++)
		h->keys[i].hit = false;
	buf_clear(&h->whole);
	buf_clear(&h->window);
	h->is_whole = m->size <= WHOLE_MAX;
	if (h->is_whole)
		rc = msg_read(h->store, m, 0, m->size, &h->whole);
	h->in_header = true;
	if (rc == 0)
		rc = header_at(h, 0, m->header_bytes);
	h->in_header = false;
	if (rc == 0 && !all_hit(h))
		rc = load_tree(h, &a, &root);
	if (rc == 0 && root != NULL)
		rc = look_at_parts(h, root, &a);
	arena_clear(&a);
	return rc;
}
