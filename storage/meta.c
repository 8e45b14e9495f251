#include "storage/meta.h"

#include "lib/base/num.h"
#include "lib/crypt/crypt.h"
#include "lib/mail/header.h"
#include "lib/mail/mime_imap.h"
#include "lib/mail/mime_index.h"
#include "lib/mail/msgid.h"
#include "lib/mail/preview.h"
#include "storage/msg.h"

/* Caps of the pieces, bytes; with prefix and head they fit MESSAGE_MAX. */
enum {
	ENVELOPE_MAX = 64 << 10,
	BODYSTRUCTURE_MAX = 64 << 10,
	STRUCTURE_MAX = 48 << 10,
	HEADERS_MAX = 40 << 10,
	PREVIEW_MAX = 1 << 10
};

/* What mail programs ask for when they list a folder. */
static const struct slice cached[] = {
	SLICE("Date"),
	SLICE("From"),
	SLICE("Subject"),
	SLICE("To"),
	SLICE("Cc"),
	SLICE("Bcc"),
	SLICE("Sender"),
	SLICE("Reply-To"),
	SLICE("Message-ID"),
	SLICE("In-Reply-To"),
	SLICE("References"),
	SLICE("MIME-Version"),
	SLICE("Content-Type"),
	SLICE("Content-Transfer-Encoding"),
	SLICE("Content-Disposition"),
	SLICE("Content-Description"),
	SLICE("Content-Language"),
	SLICE("Return-Path"),
	SLICE("Delivered-To"),
	SLICE("X-Original-To"),
	SLICE("Priority"),
	SLICE("X-Priority"),
	SLICE("X-MSMail-Priority"),
	SLICE("Importance"),
	SLICE("Newsgroups"),
	SLICE("Lines"),
	SLICE("List-Id"),
	SLICE("List-Post"),
	SLICE("List-Unsubscribe"),
	SLICE("List-Subscribe"),
	SLICE("Mailing-List"),
	SLICE("Precedence"),
	SLICE("Auto-Submitted"),
	SLICE("Disposition-Notification-To"),
	SLICE("Mail-Followup-To"),
	SLICE("Mail-Reply-To"),
	SLICE("Resent-From"),
	SLICE("Organization"),
	SLICE("User-Agent"),
	SLICE("X-Mailer"),
	SLICE("X-Label"),
	SLICE("X-Spam-Flag"),
	SLICE("X-Spam-Status"),
	SLICE("X-Spam-Level"),
	SLICE("X-Uniform-Type-Identifier"),
	SLICE("X-Universally-Unique-Identifier"),
	SLICE("X-K9mail-Identity"),
	SLICE("X-Mozilla-Draft-Info"),
};

bool
msg_cached_header(struct slice name)
{
	for (size_t i = 0; i < PH_LEN(cached); i++)
		if (cached[i].n == name.n && slice_ieq(cached[i], name))
			return true;
	return false;
}

/* The fields of this header block that are kept. */
static void
add_cached(struct buf *out, struct slice headers)
{
	struct header h;

	while (header_next(&headers, &h))
		if (h.name.n > 0 && msg_cached_header(h.name))
			buf_add_slice(out, h.raw);
}

struct slice
meta_join_headers(struct arena *a, struct slice prefix, struct slice headers)
{
	struct slice out = headers;
	struct buf b;

	if (prefix.n == 0 || headers.p == NULL)
		return headers;
	buf_init(&b, HEADERS_MAX + prefix.n);
	add_cached(&b, prefix);
	if (buf_len(&b) > 0) {
		buf_add_slice(&b, headers);
		out = arena_copy(a, buf_slice(&b));
	}
	buf_fini(&b);
	return out;
}

/* A thread is named by the first message anyone in it refers to: the first of
 * References, else In-Reply-To, else the message itself (RFC 8474 5.2 leaves
 * the way to us).  0: it names nothing. */
static uint64_t
thread_of(struct slice headers)
{
	static const struct slice fields[] = { SLICE("References"),
		SLICE("In-Reply-To"), SLICE("Message-ID") };
	struct slice first[PH_LEN(fields)] = { 0 }, id;
	uint8_t digest[SHA256_LEN];
	struct header h;

	while (header_next(&headers, &h))
		for (size_t i = 0; i < PH_LEN(fields); i++)
			if (first[i].p == NULL && h.name.n == fields[i].n &&
			    slice_ieq(h.name, fields[i]))
				first[i] = h.value;
	for (size_t i = 0; i < PH_LEN(fields); i++)
		if (first[i].p != NULL && msgid_next(&first[i], &id)) {
			crypt_sha256(id, digest);
			return num_get64(digest);
		}
	return 0;
}

static void
scratch(struct buf *b, size_t max)
{
	buf_clear(b);
	b->max = max;
}

static struct slice
keep(struct arena *a, const struct buf *b)
{
	if (buf_failed(b))
		return slice_of(NULL, 0);
	return arena_copy(a, buf_slice(b));
}

void
meta_make(struct arena *a, struct slice body, struct message *m)
{
	struct mime_part *root;
	struct slice headers;
	struct buf b;

	m->header_bytes = (uint32_t)header_end(body);
	headers = slice_sub(body, 0, m->header_bytes);
	root = mime_parse(a, body, NULL);
	buf_init(&b, ENVELOPE_MAX);
	mime_envelope(&b, headers);
	m->envelope = keep(a, &b);
	scratch(&b, BODYSTRUCTURE_MAX);
	mime_bodystructure(&b, root, body, true);
	m->bodystructure = keep(a, &b);
	scratch(&b, STRUCTURE_MAX);
	if (!mime_serialize(root, &b))
		b.failed = true;
	m->structure = keep(a, &b);
	scratch(&b, HEADERS_MAX);
	add_cached(&b, headers);
	m->headers = keep(a, &b);
	m->thread = thread_of(m->headers.p != NULL ? m->headers : headers);
	scratch(&b, PREVIEW_MAX);
	preview_make(&b, body, root);
	m->preview = keep(a, &b);
	buf_fini(&b);
}
