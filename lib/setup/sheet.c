#include "lib/setup/sheet.h"

#include <stdio.h>
#include <string.h>

#include "lib/setup/words.h"

enum { WIDTH = 74, LABEL = 18 };

/* Characters, not bytes: labels have umlauts. */
static size_t
width(struct slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static void
line(struct buf *out, const char *label, const char *value)
{
	static const char blanks[LABEL + 1] = "                  ";
	size_t n = width(slice_str(label));

	buf_printf(
	    out, "  %s%s %s\n", label, n < LABEL ? blanks + n : "", value);
}

/* Indented by two, broken at blanks. */
static void
paragraph(struct buf *out, const char *text)
{
	struct slice rest = slice_str(text), word;
	size_t at = 0;

	while (slice_split(&rest, ' ', &word)) {
		size_t n = width(word);

		if (at != 0 && at + 1 + n > WIDTH) {
			buf_add_char(out, '\n');
			at = 0;
		}
		buf_add_str(out, at == 0 ? "  " : " ");
		buf_add_slice(out, word);
		at += (at == 0 ? 2 : 1) + n;
	}
	buf_add_char(out, '\n');
}

static void
put_service(
    const struct setup *s, const struct words *w, size_t i, struct buf *out)
{
	const struct setup_service *v = &s->services[i];
	char value[64];

	if (v->ndoors == 0)
		return;
	buf_printf(out, "%s\n", w->services[i]);
	line(out, w->server, s->server);
	for (size_t k = 0; k < v->ndoors; k++) {
		(void)snprintf(value, sizeof(value), "%u, %s", v->doors[k].port,
		    setup_security(&v->doors[k]));
		line(out, k == 0 ? w->port : w->or_port, value);
	}
	line(out, w->user, s->account[0] != '\0' ? s->account : s->login);
	if (s->account[0] != '\0' && s->address[0] != '\0')
		line(out, w->or_user, s->address);
	line(out, w->password, w->your_password);
	if (i == SETUP_SMTP) {
		buf_printf(out, "  %s: %s\n", w->auth, w->auth_yes);
		paragraph(out, w->auth_where);
	}
	buf_add_char(out, '\n');
}

void
sheet_write(const struct setup *s, struct buf *out)
{
	const struct words *w = words_for(s->lang);
	const char *who = s->account[0] != '\0' ? s->account : s->address;

	buf_printf(out, "%s %s", w->title_for, who);
	if (s->address[0] != '\0' && who != s->address)
		buf_printf(out, " (%s)", s->address);
	buf_add_str(out, "\n\n");
	for (size_t i = 0; i < SETUP_SERVICES; i++)
		put_service(s, w, i, out);
	for (size_t i = 0; i < w->nsections; i++) {
		const struct words_section *sec = &w->sections[i];

		buf_printf(out, "%s%s\n", i != 0 ? "\n" : "", sec->title);
		for (size_t k = 0;
		     k < WORDS_PARAGRAPHS && sec->paragraphs[k] != NULL; k++)
			paragraph(out, sec->paragraphs[k]);
	}
}
