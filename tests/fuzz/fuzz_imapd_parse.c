/*
 * fuzz_imapd_parse.c - IMAP's grammar: a whole command, name and arguments.
 */
#include <stddef.h>
#include <stdint.h>

#include "imapd/cmd.h"
#include "imapd/parse_append.h"
#include "imapd/parse_fetch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the handlers rely on. */
static void
check(const struct cmd_row *row, const struct parse *p, void *args)
{
	const struct args_fetch *f = args;

	ph_assert(cur_eof(&p->c));
	if (row->parse == parse_fetch)
		for (const struct fetch_section *s = f->sections; s != NULL;
		     s = s->next)
			ph_assert(s->label.n != 0 &&
				  slice_chr(s->label, '\n') == s->label.n);
}

static void
one(struct slice text, bool utf8)
{
	const struct cmd_row *row;
	struct slice tag, name;
	struct parse p;
	struct arena a;
	bool uid = false;
	void *args;

	arena_init(&a);
	(void)parse_append_begun(text, &a);
	parse_init(&p, text, &a, utf8);
	if (parse_tag(&p, &tag) && parse_sp(&p) && parse_atom(&p, &name)) {
		if (slice_ieq(name, SLICE("UID")))
			uid = parse_sp(&p) && parse_atom(&p, &name);
		row = cur_ok(&p.c) ? cmd_find(name, uid) : NULL;
		if (row != NULL && row->parse(&p, &args))
			check(row, &p, args);
	}
	arena_clear(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 1 << 16)
		return 0;
	one(slice_of(data, size), false);
	one(slice_of(data, size), true);
	return 0;
}
