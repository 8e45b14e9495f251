#include "submitd/ascii_head.h"

#include "lib/base/utf8.h"
#include "lib/mail/address.h"
#include "lib/mail/encode.h"
#include "lib/mail/header.h"

enum { FIELD_MAX = 256 << 10, ADDRESSES_MAX = 5000 };

enum kind {
	KIND_TEXT,      /* RFC 5322 2.2.1: anything may be a word */
	KIND_ADDRESSES, /* names may */
	KIND_RIGID      /* nothing may */
};

static enum kind
kind_of(struct slice name)
{
	static const struct {
		const char *name;
		enum kind kind;
	} kinds[] = {
		{ "From", KIND_ADDRESSES },
		{ "Sender", KIND_ADDRESSES },
		{ "Reply-To", KIND_ADDRESSES },
		{ "To", KIND_ADDRESSES },
		{ "Cc", KIND_ADDRESSES },
		{ "Bcc", KIND_ADDRESSES },
		{ "Resent-From", KIND_ADDRESSES },
		{ "Resent-Sender", KIND_ADDRESSES },
		{ "Resent-To", KIND_ADDRESSES },
		{ "Resent-Cc", KIND_ADDRESSES },
		{ "Return-Path", KIND_RIGID },
		{ "Received", KIND_RIGID },
		{ "Date", KIND_RIGID },
		{ "Message-ID", KIND_RIGID },
		{ "In-Reply-To", KIND_RIGID },
		{ "References", KIND_RIGID },
		{ "MIME-Version", KIND_RIGID },
		{ "DKIM-Signature", KIND_RIGID },
	};

	if (slice_istarts(name, SLICE("Content-")) &&
	    !slice_ieq(name, SLICE("Content-Description")))
		return KIND_RIGID;
	for (size_t i = 0; i < PH_LEN(kinds); i++)
		if (slice_ieq_str(name, kinds[i].name))
			return kinds[i].kind;
	return KIND_TEXT;
}

static bool
put_address(struct buf *out, const struct mail_addr *a)
{
	if (a->group_end) {
		buf_add_char(out, ';');
		return true;
	}
	if (a->group_start) {
		buf_add_slice(out, a->mailbox);
		buf_add_char(out, ':');
		return utf8_is_ascii(a->mailbox);
	}
	address_write(out, a->name, a->mailbox, a->host);
	return utf8_is_ascii(a->mailbox) && utf8_is_ascii(a->host);
}

static bool
put_addresses(struct buf *out, struct slice value)
{
	const char *between = "";
	const struct mail_addr *a;
	struct arena arena;
	bool good = true;

	arena_init(&arena);
	for (a = address_parse(&arena, value, ADDRESSES_MAX); a != NULL;
	     a = a->next) {
		buf_add_str(out, a->group_end ? "" : between);
		good = good && put_address(out, a);
		between = a->group_start ? "" : ",\r\n ";
	}
	arena_clear(&arena);
	return good;
}

static bool
put_field(struct buf *out, const struct header *h)
{
	enum kind kind = kind_of(h->name);
	struct buf value;
	bool good = true;

	if (kind == KIND_RIGID || h->name.n == 0 || !utf8_valid(h->value) ||
	    !utf8_is_ascii(h->name))
		return false;
	buf_init(&value, FIELD_MAX);
	header_unfold(&value, h->value);
	buf_printf(out, "%.*s: ", (int)h->name.n, h->name.p);
	if (kind == KIND_ADDRESSES)
		good = put_addresses(out, buf_slice(&value));
	else
		encode_words(out, buf_slice(&value));
	buf_add_str(out, "\r\n");
	good = good && !buf_failed(&value);
	buf_fini(&value);
	return good;
}

bool
ascii_head(struct slice head, struct buf *out)
{
	struct slice rest = head;
	struct header h;

	while (header_next(&rest, &h)) {
		if (utf8_is_ascii(h.raw))
			buf_add_slice(out, h.raw);
		else if (!put_field(out, &h))
			return false;
	}
	buf_add_str(out, "\r\n");
	return !buf_failed(out);
}
