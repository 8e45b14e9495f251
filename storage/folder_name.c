#include "storage/folder_name.h"

#include <stdlib.h>
#include <string.h>
#include <uninorm.h>

#include "lib/base/utf8.h"

const char folder_name_taken[] = "That name is for others' folders";

static const struct slice inbox = SLICE("INBOX");

/* Controls and the separators that lists and logs cannot show. */
static bool
char_ok(uint32_t cp)
{
	if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
		return false;
	return cp != 0x2028 && cp != 0x2029 && cp != 0xfeff &&
	       (cp & 0xfffe) != 0xfffe;
}

static bool
levels_ok(struct slice name, const char **why_out)
{
	struct slice rest = name, level;
	unsigned levels = 0;

	while (slice_split(&rest, '/', &level)) {
		if (level.n == 0) {
			*why_out = "Folder name with an empty level";
			return false;
		}
		if (++levels > FOLDER_LEVELS_MAX) {
			*why_out = "Folder name with too many levels";
			return false;
		}
	}
	return true;
}

bool
folder_name_ok(struct slice name, const char **why_out)
{
	struct slice rest = name;
	uint32_t cp;

	*why_out = NULL;
	if (name.n == 0)
		*why_out = "Empty folder name";
	else if (name.n > FOLDER_NAME_MAX)
		*why_out = "Folder name is too long";
	else if (name.p[0] == '#') /* RFC 9051 5.1.2: other namespaces */
		*why_out = "Folder name begins with #";
	if (*why_out != NULL)
		return false;
	while (rest.n > 0) {
		if (!utf8_next(&rest, &cp)) {
			*why_out = "Folder name is not UTF-8";
			return false;
		}
		if (!char_ok(cp)) {
			*why_out = "Folder name with a control character";
			return false;
		}
	}
	return levels_ok(name, why_out);
}

/* RFC 5198 2: Net-Unicode is NFC. */
static bool
normalize(struct slice name, struct folder_name *out)
{
	size_t n = sizeof(out->p);
	uint8_t *p = (uint8_t *)out->p, *got;

	if (utf8_is_ascii(name)) {
		memcpy(out->p, name.p, name.n);
		out->n = name.n;
		return true;
	}
	got = u8_normalize(UNINORM_NFC, (const uint8_t *)name.p, name.n, p, &n);
	if (got != p) {
		free(got); /* NULL, or longer than we allow */
		return false;
	}
	out->n = n;
	return true;
}

bool
folder_name_fold(
    struct slice name, struct folder_name *out, const char **why_out)
{
	struct slice first;

	out->n = 0;
	if (name.n > 1 && name.p[name.n - 1] == '/')
		name.n--;
	if (!folder_name_ok(name, why_out))
		return false;
	if (!normalize(name, out)) {
		*why_out = "Folder name is too long";
		return false;
	}
	/* RFC 9051 5.1: INBOX is case-insensitive. */
	first = folder_name_slice(out);
	first.n = slice_chr(first, '/');
	if (slice_ieq(first, inbox))
		memcpy(out->p, inbox.p, inbox.n);
	return true;
}

bool
folder_name_is_inbox(struct slice folded)
{
	return slice_eq(folded, inbox);
}

bool
folder_name_below(struct slice name, struct slice parent)
{
	return name.n > parent.n && name.p[parent.n] == '/' &&
	       slice_starts(name, parent);
}

struct slice
folder_name_parent(struct slice name)
{
	size_t at = slice_rchr(name, '/');

	return at == name.n ? slice_of(name.p, 0) : slice_of(name.p, at);
}

unsigned
folder_name_levels(struct slice name)
{
	unsigned n = 1;

	for (size_t i = 0; i < name.n; i++)
		n += name.p[i] == '/';
	return n;
}

/* What mail programs call these folders in German and English; ASCII letters
 * compare without case. */
static const struct {
	const char *name;
	enum folder_use use;
} known[] = {
	{ "Sent", USE_SENT },
	{ "Sent Items", USE_SENT },
	{ "Sent Messages", USE_SENT },
	{ "Sent Mail", USE_SENT },
	{ "Gesendet", USE_SENT },
	{ "Gesendete Objekte", USE_SENT },
	{ "Gesendete Elemente", USE_SENT },
	{ "Gesendete Nachrichten", USE_SENT },
	{ "Drafts", USE_DRAFTS },
	{ "Draft", USE_DRAFTS },
	{ "Entw\xc3\xbcrfe", USE_DRAFTS },
	{ "Entwuerfe", USE_DRAFTS },
	{ "Trash", USE_TRASH },
	{ "Deleted Items", USE_TRASH },
	{ "Deleted Messages", USE_TRASH },
	{ "Papierkorb", USE_TRASH },
	{ "Gel\xc3\xb6schte Objekte", USE_TRASH },
	{ "Gel\xc3\xb6schte Elemente", USE_TRASH },
	{ "Gel\xc3\xb6schte Nachrichten", USE_TRASH },
	{ "Junk", USE_JUNK },
	{ "Junk E-mail", USE_JUNK },
	{ "Junk-E-Mail", USE_JUNK },
	{ "Junk Mail", USE_JUNK },
	{ "Bulk Mail", USE_JUNK },
	{ "Spam", USE_JUNK },
	{ "Spamverdacht", USE_JUNK },
	{ "Archive", USE_ARCHIVE },
	{ "Archives", USE_ARCHIVE },
	{ "Archiv", USE_ARCHIVE },
	{ "Archivierte Nachrichten", USE_ARCHIVE },
};

enum folder_use
folder_name_use(struct slice folded)
{
	struct slice parent = folder_name_parent(folded);

	if (parent.n > 0) {
		/* "INBOX/Gesendet" comes from clients set up for a host whose
		 * folders all lie below INBOX. */
		if (!folder_name_is_inbox(parent))
			return USE_NONE;
		folded = slice_from(folded, parent.n + 1);
	}
	for (size_t i = 0; i < PH_LEN(known); i++)
		if (slice_ieq_str(folded, known[i].name))
			return known[i].use;
	return USE_NONE;
}

static int
cmp_bytes(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;

	for (size_t i = 0; i < n; i++) {
		int x = (unsigned char)a.p[i], y = (unsigned char)b.p[i];

		if (x == y)
			continue;
		if (x == '/' || y == '/')
			return x == '/' ? -1 : 1;
		return x - y;
	}
	return (a.n > b.n) - (a.n < b.n);
}

int
folder_name_cmp(struct slice a, struct slice b)
{
	bool x = folder_name_is_inbox(a) || folder_name_below(a, inbox);
	bool y = folder_name_is_inbox(b) || folder_name_below(b, inbox);

	return x != y ? y - x : cmp_bytes(a, b);
}
