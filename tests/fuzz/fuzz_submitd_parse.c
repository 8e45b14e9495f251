/*
 * fuzz_submitd_parse.c - what comes to an SMTP port: command lines with their
 * paths and parameters, chunks of data.
 */
#include <stddef.h>
#include <stdint.h>

#include "lib/base/utf8.h"
#include "submitd/parse.h"
#include "submitd/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
inside(struct slice part, struct slice whole)
{
	return part.n == 0 ||
	       (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void
params(const struct smtp_path *path, struct slice rest)
{
	struct buf b;
	unsigned notify;

	ph_assert(path->nparams <= SMTP_PARAMS_MAX);
	for (unsigned i = 0; i < path->nparams; i++) {
		struct slice value = path->params[i].value;

		ph_assert(path->params[i].key.n != 0);
		ph_assert(inside(path->params[i].key, rest));
		ph_assert(inside(value, rest));
		buf_init(&b, 500);
		if (smtp_xtext(&b, value))
			for (size_t k = 0; k < buf_len(&b); k++)
				ph_assert((unsigned char)b.p[k] >= 0x20);
		buf_fini(&b);
		(void)smtp_parse_notify(value, &notify);
	}
}

static void
path(struct slice rest, const char *word, bool lenient)
{
	struct smtp_path p;
	const char *why = NULL;

	if (!smtp_parse_path(rest, word, lenient, &p, &why)) {
		ph_assert(why != NULL);
		return;
	}
	ph_assert(inside(p.addr, rest) && utf8_valid(p.addr));
	ph_assert(inside(p.local, rest) && p.local.n <= 252);
	ph_assert(inside(p.domain, rest) && p.domain.n <= 255);
	/* It goes into headers and to other hosts as it is. */
	for (size_t i = 0; i < p.addr.n; i++)
		ph_assert((unsigned char)p.addr.p[i] >= 0x20);
	params(&p, rest);
}

static void
chunk(struct slice s)
{
	struct scan whole = { .last = '\n' }, parts = { .last = '\n' };

	scan_feed(&whole, s);
	scan_end(&whole);
	for (size_t i = 0; i < s.n; i++)
		scan_feed(&parts, slice_sub(s, i, 1));
	scan_end(&parts);
	ph_assert(whole.flags == parts.flags);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = slice_of(data, size);
	struct smtp_line line;
	uint64_t n;
	bool last;

	chunk(s);
	(void)smtp_helo_ok(s);
	if (!smtp_parse_line(s, &line))
		return 0;
	ph_assert(inside(line.verb, s) && inside(line.rest, s));
	(void)smtp_helo_ok(line.rest);
	if (smtp_parse_chunk(line.rest, &n, &last))
		ph_assert(n <= INT64_MAX);
	for (int lenient = 0; lenient < 2; lenient++) {
		path(line.rest, "FROM", lenient != 0);
		path(line.rest, "TO", lenient != 0);
	}
	return 0;
}
