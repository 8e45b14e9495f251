#include "lib/base/conf_text.h"

#include "lib/base/cset.h"
#include "lib/base/cur.h"

/* Is this byte, outside quotes, the end of a word? */
static bool
ends_word(char c)
{
	const struct slice ends = SLICE(" \t\r\n={}(),+\"'");

	return slice_chr(ends, c) != ends.n;
}

/* Behind the closing quote; false when the line ends first. */
static bool
skip_quoted(struct cur *c)
{
	char quote = '\0', byte;

	(void)cur_any(c, &quote);
	while (cur_peek(c) >= 0 && cur_peek(c) != '\n') {
		(void)cur_any(c, &byte);
		if (byte == quote)
			return true;
		if (byte == '\\' && cur_peek(c) >= 0 && cur_peek(c) != '\n')
			(void)cur_any(c, &byte);
	}
	return false;
}

static void
blank(char *text, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (text[i] != '\n')
			text[i] = ' ';
}

static size_t
comment_length(struct slice s, bool word_begins)
{
	size_t end;

	if (s.p[0] == '#' || (word_begins && slice_starts(s, SLICE("//"))))
		return slice_chr(s, '\n');
	if (!word_begins || !slice_starts(s, SLICE("/*")))
		return 0;
	end = slice_find(s, SLICE("*/"));
	return end == s.n ? s.n : end + 2;
}

void
conf_text_strip(
    char *text, size_t n, void (*unclosed)(void *arg, int line), void *arg)
{
	struct cur c;
	struct slice skipped;
	int line = 1;
	char byte = '\n';

	cur_init(&c, slice_of(text, n));
	while (!cur_eof(&c)) {
		size_t at = cur_pos(&c);
		size_t len =
		    comment_length(slice_of(c.p, n - at), ends_word(byte));

		byte = *c.p;
		if (len != 0) {
			for (size_t i = 0; i < len; i++)
				line += c.p[i] == '\n';
			(void)cur_take(&c, len, &skipped);
			blank(text, at, at + len);
			byte = ' ';
		} else if (byte == '"' || byte == '\'') {
			if (skip_quoted(&c))
				continue;
			unclosed(arg, line);
			blank(text, at, cur_pos(&c));
		} else {
			line += byte == '\n';
			(void)cur_any(&c, &byte);
		}
	}
}

bool
conf_text_starts(struct slice line)
{
	struct slice name = slice_trim(line);
	size_t eq = slice_chr(name, '='), i;

	if (eq == name.n)
		return false;
	name = slice_sub(name, 0, eq);
	if (name.n != 0 && name.p[name.n - 1] == '+')
		name.n--;
	name = slice_trim(name);
	for (i = 0; i < name.n; i++)
		if (!cset_has(&cset_alnum, name.p[i]) && name.p[i] != '-' &&
		    name.p[i] != '_')
			return false;
	return name.n != 0;
}
