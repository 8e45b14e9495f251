#include <stdlib.h>
#include <sys/mman.h>
#include <zlib.h>

#include "lib/base/mem.h"
#include "lib/net/conn_priv.h"

enum {
	WINDOW = -15,     /* RFC 1951, raw; the peer may look back so far */
	OUT_WINDOW = -13, /* ours: 96 KiB with this memory level */
	OUT_MEMORY = 7,
	OUT_LEVEL = 1, /* RFC 4978 4: the cheapest saves most of it */
	SPILL_MAX = 1 << 20,
	STEP_MIN = 512, /* of plain input at a time */
	EXPECT = 4,     /* what a compressed byte makes */
	DICTIONARY_MAX = 32 << 10,
	IN_REGION = 48 << 10,   /* what Debian 12's zlib takes, */
	OUT_REGION = 112 << 10, /* with the values above */
	ALIGN = 16,
	AT_BLOCK = 128, /* of data_type, see inflate() in zlib.h */
	ODD_BITS = 63
};

/* A stream's memory: mapped and not from the heap, so that it goes back to
 * the system while the connection rests. */
struct region {
	char *p;
	size_t used, size;
};

struct conn_zip {
	z_stream in, out;
	struct region in_memory, out_memory;
	struct buf spill;      /* compressed, kept while c->in is full */
	struct buf dictionary; /* of `in` while it rests */
	bool in_up, out_up;
	bool more; /* inflate() filled what it had: there may be more */
	bool dead; /* nothing that comes is understood any more */
	bool used; /* since the last rest */
};

/* From the region as long as it lasts: another zlib may want more. */
static voidpf
zip_alloc(voidpf opaque, uInt n, uInt size)
{
	struct region *r = opaque;
	size_t bytes = ((size_t)n * size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	char *p = r->p + r->used;

	if (bytes > r->size - r->used)
		return xmalloc(bytes);
	r->used += bytes;
	return p;
}

static void
zip_free(voidpf opaque, voidpf p)
{
	struct region *r = opaque;

	if ((char *)p < r->p || (char *)p >= r->p + r->size)
		free(p);
}

static void
prepare(z_stream *z, struct region *r, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ph_assert(p != MAP_FAILED); /* as when xmalloc() finds none */
	*r = (struct region){ p, 0, size };
	*z = (z_stream){ .zalloc = zip_alloc, .zfree = zip_free, .opaque = r };
}

static void
give_back(struct region *r)
{
	(void)munmap(r->p, r->size);
	*r = (struct region){ 0 };
}

static void
wake(struct conn *c)
{
	if (c->priv->zip->used)
		return;
	c->priv->zip->used = true;
	conn_arm(c);
}

/* ---- input ---- */

static void
wake_in(struct conn *c)
{
	struct conn_zip *z = c->priv->zip;
	struct slice d = buf_slice(&z->dictionary);

	wake(c);
	if (z->in_up)
		return;
	prepare(&z->in, &z->in_memory, IN_REGION);
	ph_assert(inflateInit2(&z->in, WINDOW) == Z_OK);
	if (d.n != 0)
		ph_assert(inflateSetDictionary(
			      &z->in, (const Bytef *)d.p, (uInt)d.n) == Z_OK);
	buf_fini(&z->dictionary);
	z->in_up = true;
}

static void
die(struct conn *c, const char *why)
{
	c->priv->zip->dead = true;
	conn_because(c, "DEFLATE: %s", why);
	c->flags |= CONN_F_EOF;
}

/* One inflate() into c->in; false when it is to be left for later. */
static bool
inflate_some(struct conn *c, struct slice *from)
{
	struct conn_zip *z = c->priv->zip;
	size_t want = from->n * EXPECT + STEP_MIN, got;
	char *to;
	int rc;

	if (want > conn_room(c))
		want = conn_room(c);
	if (z->dead || want == 0 || (from->n == 0 && !z->more))
		return false;
	to = buf_reserve(&c->in, want);
	z->in.next_in = (z_const Bytef *)(uintptr_t)from->p;
	z->in.avail_in = (uInt)from->n;
	z->in.next_out = (Bytef *)to;
	z->in.avail_out = (uInt)want;
	rc = inflate(&z->in, Z_SYNC_FLUSH);
	*from = slice_from(*from, from->n - z->in.avail_in);
	z->more = z->in.avail_out == 0;
	got = want - z->in.avail_out;
	buf_advance(&c->in, got);
	c->stats.bytes_in += got;
	c->flags |= got != 0 ? CONN_F_NEWS : 0;
	if (rc == Z_STREAM_END)
		die(c, "the peer has ended it");
	else if (rc != Z_OK && rc != Z_BUF_ERROR)
		die(c, z->in.msg != NULL ? z->in.msg : "broken data");
	return true;
}

void
conn_zip_feed(struct conn *c, struct slice bytes)
{
	struct conn_zip *z = c->priv->zip;

	wake_in(c);
	if (buf_len(&z->spill) == 0)
		while (inflate_some(c, &bytes))
			;
	if (bytes.n != 0 && !z->dead)
		buf_add_slice(&z->spill, bytes);
	if (buf_failed(&z->spill))
		die(c, "input not consumed");
}

void
conn_zip_more(struct conn *c)
{
	struct conn_zip *z = c->priv->zip;
	struct slice s = buf_slice(&z->spill);
	size_t before = s.n;

	if (!conn_zip_waiting(c) || conn_room(c) == 0)
		return;
	while (inflate_some(c, &s))
		;
	buf_consume(&z->spill, before - s.n);
	buf_shrink(&z->spill);
}

bool
conn_zip_waiting(const struct conn *c)
{
	const struct conn_zip *z = c->priv->zip;

	return !z->dead && (buf_len(&z->spill) != 0 || z->more);
}

/* ---- output ---- */

static void
wake_out(struct conn *c)
{
	struct conn_zip *z = c->priv->zip;

	wake(c);
	if (z->out_up)
		return;
	prepare(&z->out, &z->out_memory, OUT_REGION);
	ph_assert(deflateInit2(&z->out, OUT_LEVEL, Z_DEFLATED, OUT_WINDOW,
		      OUT_MEMORY, Z_DEFAULT_STRATEGY) == Z_OK);
	z->out_up = true;
}

/* Each write ends on a byte and can be read at once (Z_SYNC_FLUSH): IMAP waits
 * for its answers. */
void
conn_zip_write(struct conn *c, struct slice s)
{
	struct conn_zip *z = c->priv->zip;
	struct slice packed;
	size_t cap;
	/* Free here: what was read is copied before an owner is called. */
	char *block = loop_read_block(c->loop, &cap);

	wake_out(c);
	z->out.next_in = (z_const Bytef *)(uintptr_t)s.p;
	z->out.avail_in = (uInt)s.n;
	do {
		z->out.next_out = (Bytef *)block;
		z->out.avail_out = (uInt)cap;
		(void)deflate(&z->out, Z_SYNC_FLUSH);
		packed = slice_of(block, cap - z->out.avail_out);
		if (c->priv->tls != NULL)
			conn_tls_write(c, packed);
		else
			conn_out_send(c, packed);
	} while (z->out.avail_out == 0 && !(c->flags & CONN_F_BROKEN));
}

/* ---- rest ---- */

static void
end_in(struct conn_zip *z)
{
	if (!z->in_up)
		return;
	(void)inflateEnd(&z->in);
	give_back(&z->in_memory);
	z->in_up = false;
}

static void
end_out(struct conn_zip *z)
{
	if (!z->out_up)
		return;
	(void)deflateEnd(&z->out);
	give_back(&z->out_memory);
	z->out_up = false;
}

static void
rest_in(struct conn_zip *z)
{
	uInt n = DICTIONARY_MAX;
	char *to;

	/* Only between blocks, on a byte, can another one go on. */
	if (!z->in_up || !(z->in.data_type & AT_BLOCK) ||
	    (z->in.data_type & ODD_BITS) != 0)
		return;
	(void)inflateGetDictionary(&z->in, Z_NULL, &n);
	buf_init(&z->dictionary, DICTIONARY_MAX);
	if (n != 0) {
		to = buf_reserve(&z->dictionary, n);
		(void)inflateGetDictionary(&z->in, (Bytef *)to, &n);
		buf_advance(&z->dictionary, n);
	}
	end_in(z);
}

bool
conn_zip_used(const struct conn *c)
{
	return c->priv->zip->used;
}

/* What was written ended on a byte: a fresh compressor can go on from there,
 * it only does not look back. */
void
conn_zip_rest(struct conn *c)
{
	struct conn_zip *z = c->priv->zip;

	z->used = false;
	end_out(z);
	if (!conn_zip_waiting(c))
		rest_in(z);
}

void
conn_zip_fini(struct conn *c)
{
	struct conn_zip *z = c->priv->zip;

	if (z == NULL)
		return;
	c->priv->zip = NULL;
	end_in(z);
	end_out(z);
	buf_fini(&z->spill);
	buf_fini(&z->dictionary);
	free(z);
}

/* ---- beginning ---- */

void
conn_deflate(struct conn *c)
{
	struct conn_zip *z;
	struct buf behind;

	if (c->state != CONN_OPEN || c->priv->zip != NULL)
		return;
	z = xcalloc(1, sizeof(*z));
	buf_init(&z->spill, SPILL_MAX);
	c->priv->zip = z;
	/* Nobody shall send before he has the answer; who does all the same
	 * has to have compressed it. */
	buf_init(&behind, c->in.max);
	buf_move(&behind, &c->in);
	c->stats.bytes_in -= buf_len(&behind);
	if (buf_len(&behind) != 0)
		conn_zip_feed(c, buf_slice(&behind));
	buf_fini(&behind);
	c->flags |= CONN_F_CONSUMED;
	conn_later(c);
}

const char *
conn_compressed(const struct conn *c)
{
	if (c->priv == NULL)
		return NULL;
	if (c->priv->zip != NULL)
		return "DEFLATE";
	return c->priv->tls != NULL && conn_tls_compressed(c) ? "TLS" : NULL;
}
