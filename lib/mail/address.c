#include "lib/mail/address.h"

#include "lib/base/cset.h"
#include "lib/mail/encode.h"

/*
 * The grammar is RFC 5322 3.4 with 4.4, read with tolerance: a run of bytes
 * that end no word is an atom, unknown punctuation is skipped.
 *
 * Words go to two places, each as large as the field: the phrase has all of
 * them with single spaces between; the local part has only the last ones that
 * belong together ("john . doe"), without the spaces.  So it is known only at
 * the "@" which of them were the display name.
 */
struct list {
	struct arena *a;
	const char *p, *end;
	char *phrase;           /* free room for phrases */
	char *local;            /* free room for local parts and hosts */
	size_t nphrase, nlocal; /* what the current element has there */
	size_t nname;           /* of the phrase, before the local part */
	bool dot;               /* the last word ended in "." */
	bool words;
	struct slice comment; /* the last one, or p == NULL */
	struct mail_addr ***tail;
	size_t n, max;
	bool group;
};

#define B CSET_BIT

/* Bytes that end an atom for us; the rest, "." and 8-bit too, is text. */
static const struct cset breaks = {
	{ B('\0') | B('\t') | B('\n') | B('\r') | B(' ') | B('"') | B('(') |
		B(')') | B(',') | B(':') | B(';') | B('<') | B('>'),
	    B('@'), 0, 0 }
};

static const struct cset blanks = {
	{ B('\0') | B('\t') | B('\n') | B('\r') | B(' '), 0, 0, 0 }
};

#undef B

static int
peek(const struct list *l)
{
	return l->p == l->end ? -1 : (unsigned char)*l->p;
}

/* comment, RFC 5322 3.2.2; an open one ends with the field. */
static void
skip_comment(struct list *l)
{
	const char *from = ++l->p;
	size_t depth = 1;

	for (; l->p != l->end; l->p++) {
		if (*l->p == '\\' && l->p + 1 != l->end)
			l->p++;
		else if (*l->p == '(')
			depth++;
		else if (*l->p == ')' && --depth == 0)
			break;
	}
	l->comment = slice_of(from, (size_t)(l->p - from));
	if (l->p != l->end)
		l->p++;
}

/* [CFWS]; whether there was any. */
static bool
skip_cfws(struct list *l)
{
	const char *from = l->p;

	while (l->p != l->end) {
		if (cset_has(&blanks, *l->p))
			l->p++;
		else if (*l->p == '(')
			skip_comment(l);
		else
			break;
	}
	return l->p != from;
}

static void
put(struct list *l, char c)
{
	l->phrase[l->nphrase++] = c;
	l->local[l->nlocal++] = c;
}

static bool
is_fold(char c)
{
	return c == '\r' || c == '\n' || c == '\0';
}

/* quoted-string without quotes, backslashes and folds; one without end goes
 * to the end of the field. */
static void
read_quoted(struct list *l)
{
	for (l->p++; l->p != l->end && *l->p != '"'; l->p++) {
		if (*l->p == '\\' && l->p + 1 != l->end)
			l->p++;
		if (!is_fold(*l->p))
			put(l, *l->p);
	}
	if (l->p != l->end)
		l->p++;
}

/* One word behind what is there; spaced: CFWS was before it. */
static void
read_word(struct list *l, bool spaced)
{
	bool quoted = *l->p == '"';

	if (l->words && spaced) {
		bool glued = l->dot || *l->p == '.';

		if (!glued) {
			l->nname = l->nphrase;
			l->nlocal = 0;
		}
		l->phrase[l->nphrase++] = ' ';
	}
	l->words = true;
	l->dot = false;
	if (quoted) {
		read_quoted(l);
		return;
	}
	while (l->p != l->end && !cset_has(&breaks, *l->p))
		put(l, *l->p++);
	l->dot = l->p[-1] == '.';
}

static bool
at_word(const struct list *l)
{
	return l->p != l->end && (*l->p == '"' || !cset_has(&breaks, *l->p));
}

/* Takes the text that stands in the room, n bytes of it. */
static struct slice
keep(char **room, size_t n)
{
	struct slice s = slice_of(*room, n);

	*room += n;
	return s;
}

/* The comment's text, unquoted, in place of a display name. */
static struct slice
comment_text(struct list *l)
{
	struct slice raw = slice_trim(l->comment);
	size_t n = 0;

	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] == '\\' && i + 1 < raw.n)
			i++;
		if (!is_fold(raw.p[i]))
			l->phrase[n++] = raw.p[i];
	}
	return keep(&l->phrase, n);
}

static struct mail_addr *
add(struct list *l)
{
	struct mail_addr *ad = arena_alloc(l->a, sizeof(*ad));

	**l->tail = ad;
	*l->tail = &ad->next;
	l->n++;
	return ad;
}

/* domain = dot-atom / domain-literal / obs-domain; to the local room. */
static struct slice
read_domain(struct list *l)
{
	bool dot = true;
	size_t n = 0;

	for (;;) {
		(void)skip_cfws(l);
		if (peek(l) == '[') {
			while (l->p != l->end && *l->p != ']' && *l->p != '>' &&
			       *l->p != ',') {
				if (!cset_has(&blanks, *l->p))
					l->local[n++] = *l->p;
				l->p++;
			}
			dot = true;
		}
		if (l->p == l->end || cset_has(&breaks, *l->p) ||
		    (!dot && *l->p != '.'))
			return keep(&l->local, n);
		while (l->p != l->end && !cset_has(&breaks, *l->p))
			l->local[n++] = *l->p++;
		dot = l->local[n - 1] == '.';
	}
}

/* obs-route = obs-domain-list ":"; for example "@a,@b:" */
static struct slice
read_route(struct list *l)
{
	size_t n = 0;

	while (l->p != l->end && *l->p != ':' && *l->p != '>') {
		if (skip_cfws(l))
			continue;
		l->phrase[n++] = *l->p++;
	}
	if (peek(l) == ':')
		l->p++;
	return keep(&l->phrase, n);
}

static void
reset_words(struct list *l)
{
	l->nphrase = l->nlocal = l->nname = 0;
	l->words = l->dot = false;
}

static void
read_words(struct list *l)
{
	bool spaced = skip_cfws(l);

	while (at_word(l)) {
		read_word(l, spaced);
		spaced = skip_cfws(l);
	}
}

/* angle-addr = "<" [obs-route] addr-spec ">" */
static void
read_angle(struct list *l, struct mail_addr *ad)
{
	l->p++;
	reset_words(l);
	(void)skip_cfws(l);
	if (peek(l) == '@')
		ad->route = read_route(l);
	read_words(l);
	/* A space within a local part is wrong, but better kept than cut. */
	if (l->nname != 0)
		ad->mailbox = keep(&l->phrase, l->nphrase);
	else
		ad->mailbox = keep(&l->local, l->nlocal);
	ad->host = SLICE("");
	if (peek(l) == '@') {
		l->p++;
		ad->host = read_domain(l);
	}
	while (l->p != l->end && *l->p != '>' && *l->p != ',' && *l->p != '<')
		l->p++;
	if (peek(l) == '>')
		l->p++;
}

static void
read_group(struct list *l)
{
	struct mail_addr *ad;

	l->p++;
	/* A group within a group is no RFC 5322; its name is dropped.  One
	 * entry is kept for the end. */
	if (l->group || l->max - l->n < 2)
		return;
	ad = add(l);
	ad->group_start = true;
	ad->mailbox = keep(&l->phrase, l->nphrase);
	l->group = true;
}

static void
end_group(struct list *l)
{
	if (l->group)
		add(l)->group_end = true;
	l->group = false;
}

static bool
is_full(const struct list *l)
{
	return l->n + l->group >= l->max;
}

/* addr-spec whose words are read, or words with no address at all.  The
 * mailbox, "@" and the host lie side by side in the local room: many write
 * the bare address for a display name, "a@b <a@b>". */
static void
read_bare(struct list *l, struct mail_addr *ad)
{
	ad->mailbox = keep(&l->local, l->nlocal);
	ad->host = SLICE("");
	if (peek(l) != '@') {
		if (l->nname != 0)
			ad->mailbox = keep(&l->phrase, l->nphrase);
		return;
	}
	*l->local++ = *l->p++;
	ad->host = read_domain(l);
	if (l->nname != 0)
		ad->name = keep(&l->phrase, l->nname);
	if (peek(l) != '<')
		return;
	if (ad->name.p == NULL)
		ad->name =
		    slice_of(ad->mailbox.p, ad->mailbox.n + 1 + ad->host.n);
	read_angle(l, ad);
}

/* name-addr / addr-spec */
static void
read_mailbox(struct list *l)
{
	struct mail_addr *ad = add(l);

	if (peek(l) == '<') {
		if (l->nphrase != 0)
			ad->name = keep(&l->phrase, l->nphrase);
		read_angle(l, ad);
	} else {
		read_bare(l, ad);
	}
	(void)skip_cfws(l);
	if (ad->name.p == NULL && l->comment.p != NULL) {
		ad->name = comment_text(l);
		if (ad->name.n == 0)
			ad->name.p = NULL;
	}
}

/* mailbox / group, and what stands between them */
static void
read_element(struct list *l)
{
	int c;

	reset_words(l);
	l->comment = (struct slice){ NULL, 0 };
	read_words(l);
	c = peek(l);
	if (c == ':') {
		read_group(l);
	} else if (l->words || c == '<' || c == '@') {
		read_mailbox(l);
	} else if (c != -1) {
		l->p++;
		if (c == ';')
			end_group(l);
	}
}

size_t
address_append(
    struct arena *a, struct slice value, size_t max, struct mail_addr ***tail)
{
	struct list l = { .a = a, .tail = tail, .max = max };

	if (value.n == 0)
		return 0;
	l.p = value.p;
	l.end = value.p + value.n;
	l.phrase = arena_bytes(a, value.n);
	l.local = arena_bytes(a, value.n);
	while (l.p != l.end && !is_full(&l))
		read_element(&l);
	end_group(&l);
	return l.n;
}

struct mail_addr *
address_parse(struct arena *a, struct slice value, size_t max)
{
	struct mail_addr *first = NULL, **tail = &first;

	(void)address_append(a, value, max, &tail);
	return first;
}

/* Whether s is words of atext, with dots when asked; 8-bit text is not. */
static bool
is_plain(struct slice s, char also)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != also && !cset_has(&cset_atext, s.p[i]))
			return false;
	return s.n != 0;
}

static bool
is_printable(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != ' ' && !cset_has(&cset_vchar, s.p[i]))
			return false;
	return true;
}

/* quoted-string; controls are dropped. */
static void
write_quoted(struct buf *out, struct slice s)
{
	buf_add_char(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (cset_has(&cset_ctl, s.p[i]))
			continue;
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, s.p[i]);
	}
	buf_add_char(out, '"');
}

void
address_write(struct buf *out, struct slice name_utf8, struct slice mailbox,
    struct slice host)
{
	if (is_plain(name_utf8, ' '))
		buf_add_slice(out, name_utf8);
	else if (name_utf8.n != 0 && is_printable(name_utf8))
		write_quoted(out, name_utf8);
	else
		encode_words(out, name_utf8);
	buf_add_str(out, name_utf8.n != 0 ? " <" : "<");
	if (is_plain(mailbox, '.') && mailbox.p[0] != '.' &&
	    mailbox.p[mailbox.n - 1] != '.' &&
	    slice_find(mailbox, SLICE("..")) == mailbox.n)
		buf_add_slice(out, mailbox);
	else
		write_quoted(out, mailbox);
	buf_add_char(out, '@');
	for (size_t i = 0; i < host.n; i++)
		if (!cset_has(&breaks, host.p[i]) || host.p[i] == ':')
			buf_add_char(out, host.p[i]);
	buf_add_char(out, '>');
}
