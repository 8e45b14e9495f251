#include "imapd/capability.h"

#include <inttypes.h>
#include <string.h>

enum {
	EARLY = 1,
	TLS_LESS = 2,
	CLEAR = 4,
	LATER = 8,
	ALWAYS = 16 /* not to be withheld */
};

/* What is said when, and commands that go with it alone; a word stands here
 * once all of it works. */
static const struct {
	const char *word;
	unsigned when;
	const char *commands;
} words[] = {
	{ "IMAP4rev1", EARLY | LATER | ALWAYS, NULL },
	{ "IMAP4rev2", EARLY | LATER, NULL },      /* RFC 9051 */
	{ "LITERAL+", EARLY | LATER, NULL },       /* RFC 7888 */
	{ "SASL-IR", EARLY, NULL },                /* RFC 4959 */
	{ "ID", EARLY | LATER, "ID" },             /* RFC 2971 */
	{ "ENABLE", EARLY | LATER, "ENABLE" },     /* RFC 5161 */
	{ "STARTTLS", TLS_LESS | ALWAYS, NULL },   /* RFC 9051 6.2.1 */
	{ "LOGINDISABLED", CLEAR | ALWAYS, NULL }, /* RFC 9051 6.2.3 */
	{ "IDLE", EARLY | LATER, "IDLE" },         /* RFC 2177 */
	{ "NAMESPACE", LATER, "NAMESPACE" },       /* RFC 2342 */
	{ "NOTIFY", LATER, "NOTIFY" },             /* RFC 5465 */
	{ "CHILDREN", LATER, NULL },               /* RFC 3348 */
	{ "UNSELECT", LATER, "UNSELECT" },         /* RFC 3691 */
	{ "UIDPLUS", LATER, NULL },                /* RFC 4315 */
	{ "MOVE", LATER, "MOVE" },                 /* RFC 6851 */
	{ "COMPRESS=DEFLATE", LATER, "COMPRESS" }, /* RFC 4978 */
	{ "REPLACE", LATER, "REPLACE" },           /* RFC 8508 */
	{ "CATENATE", LATER, NULL },               /* RFC 4469 */
	{ "SPECIAL-USE", LATER, NULL },            /* RFC 6154 */
	{ "CREATE-SPECIAL-USE", LATER, NULL },     /* RFC 6154 */
	{ "XLIST", LATER, "XLIST" },               /* CLIENTS D */
	{ "MULTIAPPEND", LATER, NULL },            /* RFC 3502 */
	{ "ESEARCH", LATER, NULL },                /* RFC 4731 */
	{ "CONDSTORE", LATER, NULL },              /* RFC 7162 */
	{ "QRESYNC", LATER, NULL },                /* RFC 7162 */
	{ "LIST-EXTENDED", LATER, NULL },          /* RFC 5258 */
	{ "LIST-STATUS", LATER, NULL },            /* RFC 5819 */
	{ "STATUS=SIZE", LATER, NULL },            /* RFC 8438 */
	{ "WITHIN", LATER, NULL },                 /* RFC 5032 */
	{ "SEARCHRES", LATER, NULL },              /* RFC 5182 */
	{ "PARTIAL", LATER, NULL },                /* RFC 9394 */
	{ "UIDONLY", LATER, NULL },                /* RFC 9586 */
	{ "INPROGRESS", LATER, NULL },             /* RFC 9585 */
	{ "OBJECTID", LATER, NULL },               /* RFC 8474 */
	{ "PREVIEW", LATER, NULL },                /* RFC 8970 */
	{ "SAVEDATE", LATER, NULL },               /* RFC 8514 */
	{ "BINARY", LATER, NULL },                 /* RFC 3516 */
	{ "UTF8=ACCEPT", LATER, NULL },            /* RFC 6855, RFC 9755 */
	{ "ACL", LATER,
	    "SETACL DELETEACL GETACL LISTRIGHTS MYRIGHTS" }, /* RFC 4314 */
	{ "RIGHTS=kxte", LATER, NULL },                      /* RFC 4314 2.2 */
	{ "LIST-MYRIGHTS", LATER, NULL },                    /* RFC 8440 */
	{ "METADATA", LATER, "GETMETADATA SETMETADATA" },    /* RFC 5464 */
	{ "LIST-METADATA", LATER, NULL },                    /* RFC 9590 */
	{ "QUOTA", LATER, "GETQUOTA GETQUOTAROOT" },         /* RFC 9208 */
	{ "QUOTASET", LATER, "SETQUOTA" },                   /* RFC 9208 */
	{ "QUOTA=RES-STORAGE", LATER, NULL },
	{ "QUOTA=RES-MESSAGE", LATER, NULL },
	{ "QUOTA=RES-MAILBOX", LATER, NULL },
	{ "SORT", LATER, "SORT" },                /* RFC 5256 */
	{ "SORT=DISPLAY", LATER, NULL },          /* RFC 5957 */
	{ "ESORT", LATER, NULL },                 /* RFC 5267 */
	{ "THREAD=ORDEREDSUBJECT", LATER, NULL }, /* RFC 5256 */
	{ "THREAD=REFERENCES", LATER, NULL },     /* RFC 5256 */
	{ "THREAD=REFS", LATER, NULL },
	{ "I18NLEVEL=1", LATER, NULL }, /* RFC 5255 4.3 */
};

_Static_assert(
    PH_LEN(words) <= CAPS_WORDS * 64, "withheld words have a bit each");

static bool
withheld(const struct client *c, size_t i)
{
	return c->withheld[i / 64] >> (i % 64) & 1;
}

bool
caps_offers(const struct client *c, const char *word)
{
	for (size_t i = 0; i < PH_LEN(words); i++)
		if (strcmp(words[i].word, word) == 0)
			return !withheld(c, i);
	return false;
}

static bool
is_among(struct slice list, struct slice word)
{
	struct slice one;

	while (list.n != 0 && slice_split(&list, ' ', &one))
		if (slice_ieq(one, word))
			return true;
	return false;
}

bool
caps_allow(const struct client *c, const char *command)
{
	uint64_t any = 0;

	for (size_t i = 0; i < CAPS_WORDS; i++)
		any |= c->withheld[i];
	if (any == 0)
		return true;
	for (size_t i = 0; i < PH_LEN(words); i++)
		if (withheld(c, i) && words[i].commands != NULL &&
		    is_among(slice_str(words[i].commands), slice_str(command)))
			return false;
	return true;
}

/* ---- withholding ---- */

/* "*" stands for anything. */
static bool
name_fits(struct slice pattern, struct slice name)
{
	size_t star = slice_chr(pattern, '*');
	struct slice rest;

	if (star == pattern.n)
		return slice_ieq(pattern, name);
	if (!slice_istarts(name, slice_sub(pattern, 0, star)))
		return false;
	rest = slice_from(pattern, star + 1);
	for (size_t at = star; at <= name.n; at++)
		if (name_fits(rest, slice_from(name, at)))
			return true;
	return false;
}

static void
withhold(struct client *c, struct slice list)
{
	for (size_t i = 0; i < PH_LEN(words); i++)
		if (!(words[i].when & ALWAYS) &&
		    is_among(list, slice_str(words[i].word)))
			c->withheld[i / 64] |= UINT64_C(1) << (i % 64);
}

bool
caps_for_client(struct client *c, struct slice name)
{
	const struct conf_list *rules = &client_conf(c)->imap_withhold;
	uint64_t before[CAPS_WORDS];

	memcpy(before, c->withheld, sizeof(before));
	memset(c->withheld, 0, sizeof(c->withheld));
	for (size_t i = 0; i < rules->n; i++) {
		struct slice rule = slice_str(rules->v[i]);
		size_t colon = slice_chr(rule, ':');

		if (colon == rule.n)
			withhold(c, rule);
		else if (name.p != NULL &&
			 name_fits(slice_trim(slice_sub(rule, 0, colon)), name))
			withhold(c, slice_from(rule, colon + 1));
	}
	return memcmp(before, c->withheld, sizeof(before)) != 0;
}

/* ---- saying ---- */

static void
write_mechs(struct client *c, bool plain, struct buf *out)
{
	struct slice rest, mech;
	struct buf mechs;

	buf_init(&mechs, 512);
	auth_mechs(c->sl->srv->auth, plain, client_is_tls(c), true, &mechs);
	rest = buf_slice(&mechs);
	while (rest.n != 0 && slice_split(&rest, ' ', &mech)) {
		buf_add_str(out, " AUTH=");
		buf_add_slice(out, mech);
	}
	buf_fini(&mechs);
}

void
caps_write(struct client *c, struct buf *out)
{
	bool tls = client_is_tls(c), plain = client_plain_ok(c);
	unsigned now = c->state != IS_NOAUTH ? LATER : EARLY;

	if (now == EARLY)
		now |= (tls ? 0 : TLS_LESS) | (plain ? 0 : CLEAR);
	for (size_t i = 0; i < PH_LEN(words); i++)
		if (words[i].when & now && !withheld(c, i)) {
			buf_add_char(out, ' ');
			buf_add_str(out, words[i].word);
		}
	if (now & EARLY)
		write_mechs(c, plain, out);
	else
		buf_printf(out, " APPENDLIMIT=%" PRIu64, /* RFC 7889 3 */
		    client_conf(c)->message_max);
}
