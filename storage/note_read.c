#include "storage/note_read.h"

#include "storage/rec.h"

static void
take_text(uint8_t tag, struct slice bytes, struct note *n)
{
	switch (tag) {
	case TAG_ACCOUNT_NAME: n->account_name = bytes; break;
	case TAG_FOLDER_NAME: n->folder_name = bytes; break;
	case TAG_KEYWORD_NAMES: n->keyword_names = bytes; break;
	case TAG_PREFIX: n->prefix = bytes; break;
	case TAG_UIDL: n->uidl = bytes; break;
	case TAG_KEYWORD: n->keyword = bytes; break;
	case TAG_MADE: n->made = bytes; break;
	case TAG_RENAMED: n->renamed = bytes; break;
	case TAG_DELETED: n->deleted = bytes; break;
	case TAG_UIDS: n->has_state = true; break;
	case TAG_GONE: n->has_gone = true; break;
	default: break;
	}
}

static void
take_number(uint8_t tag, uint64_t v, struct note *n)
{
	switch (tag) {
	case TAG_FOLDER: n->folder = v; break;
	case TAG_UIDVALIDITY: n->uidvalidity = v; break;
	case TAG_UID: n->uid = v; break;
	case TAG_MSGID: n->msgid = v; break;
	case TAG_BODY: n->body = v; break;
	case TAG_FLAGS: n->flags = v; break;
	case TAG_KEYWORDS: n->keywords = v; break;
	case TAG_INTERNAL_DATE: n->internal_date = (int64_t)v; break;
	case TAG_SAVE_DATE: n->save_date = (int64_t)v; break;
	case TAG_MODSEQ: n->modseq = v; break;
	case TAG_ACCOUNT: n->account = v; break;
	case TAG_USE: n->use = v; break;
	default: break;
	}
}

bool
note_decode(struct slice description, struct note *out)
{
	struct slice rest = description, bytes;
	bool bad = false;
	uint8_t tag;

	*out = (struct note){ .fields = description };
	while (rec_next(&rest, &tag, &bytes, &bad)) {
		take_text(tag, bytes, out);
		take_number(tag, rec_u64(bytes), out);
	}
	return !bad && out->folder != 0 && out->account != 0;
}

/* UIDs are varints: the first, then differences. */
static bool
each(struct slice packed, struct note_uid *u,
    bool (*fn)(const struct note_uid *u, void *arg), void *arg)
{
	uint64_t last = 0, more;

	while (packed.n != 0) {
		if (!rec_varint(&packed, &more) || more > UINT32_MAX - last)
			return false;
		last += more;
		u->uid = (uint32_t)last;
		if (!fn(u, arg))
			return false;
	}
	return true;
}

bool
note_each_uid(const struct note *n,
    bool (*fn)(const struct note_uid *u, void *arg), void *arg)
{
	struct slice rest = n->fields, bytes;
	struct note_uid u = { 0 };
	bool bad = false;
	uint8_t tag;

	while (rec_next(&rest, &tag, &bytes, &bad)) {
		u.gone = tag == TAG_GONE;
		if (tag == TAG_STATE)
			u.state = rec_u64(bytes);
		if ((tag == TAG_UIDS || tag == TAG_GONE) &&
		    !each(bytes, &u, fn, arg))
			return false;
	}
	return !bad;
}
