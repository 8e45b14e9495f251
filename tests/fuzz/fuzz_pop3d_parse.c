/*
 * fuzz_pop3d_parse.c - POP3 command lines: what is parsed lies within the line,
 * holds no control bytes, and parses the same when it is put together again.
 */
#include "lib/base/buf.h"
#include "lib/base/cset.h"
#include "pop3d/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_within(struct slice part, struct slice line)
{
	if (part.n != 0)
		ph_assert(
		    part.p >= line.p && part.p + part.n <= line.p + line.n);
	for (size_t i = 0; i < part.n; i++)
		ph_assert(!cset_has(&cset_ctl, part.p[i]));
}

/* Name and arguments by single blanks mean the same. */
static void
check_again(const struct pop3_line *l)
{
	struct pop3_line again;
	struct buf b;

	buf_init(&b, 8192);
	buf_add_slice(&b, l->name);
	for (unsigned i = 0; i < l->nargs && i < 2; i++) {
		buf_add_char(&b, ' ');
		buf_add_slice(&b, l->arg[i]);
	}
	ph_assert(pop3_parse(buf_slice(&b), &again));
	ph_assert(slice_eq(again.name, l->name));
	for (unsigned i = 0; i < l->nargs && i < 2 && l->arg[0].n != 0; i++)
		ph_assert(
		    slice_eq(again.arg[i], l->arg[i]) || l->arg[1].n == 0);
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice line = slice_of(data, size);
	struct pop3_line l;
	uint32_t n;

	if (size > 4096)
		return 0;
	if (!pop3_parse(line, &l))
		return 0;
	check_within(l.name, line);
	check_within(l.rest, line);
	check_within(l.arg[0], line);
	check_within(l.arg[1], line);
	ph_assert(l.nargs <= 3 && l.name.n >= 3 && l.name.n <= 4);
	if (pop3_number(l.arg[0], &n))
		ph_assert(
		    l.arg[0].n != 0 && cset_has(&cset_digit, l.arg[0].p[0]));
	check_again(&l);
	return 0;
}
