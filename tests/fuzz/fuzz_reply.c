/*
 * fuzz_reply.c - what other mail servers answer, whole and byte by byte.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "submitd/dsn.h"
#include "submitd/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
look_at(const struct reply *r)
{
	struct slice args;
	char line[QUEUE_REPLY_MAX], status[16];

	ph_assert(r->code >= 200 && r->code <= 599);
	ph_assert(r->n <= REPLY_TEXT_MAX);
	reply_line(r, line, sizeof(line));
	for (size_t i = 0; line[i] != '\0'; i++)
		ph_assert((unsigned char)line[i] >= 0x20);
	(void)reply_keyword(r, "SIZE", &args);
	dsn_status(slice_str(line), r->code >= 500, status);
	ph_assert(strlen(status) >= 5);
}

/* The same kinds and codes come out however the bytes come in. */
static unsigned
feed(struct slice s, size_t step)
{
	static struct reply r;
	size_t from = 0, have = 0, used;
	unsigned sum = 0;

	reply_init(&r);
	while (from + have < s.n) {
		enum reply_kind kind;

		have += have + step > s.n - from ? s.n - from - have : step;
		if (from + have > s.n)
			have = s.n - from;
		kind = reply_feed(&r, slice_sub(s, from, have), &used);
		ph_assert(used <= have);
		if (kind == REPLY_BAD)
			return sum * 31 + 7;
		from += used;
		have -= used;
		if (kind == REPLY_DONE) {
			look_at(&r);
			sum = sum * 31 + (unsigned)r.code;
			reply_init(&r);
			have = 0;
		}
	}
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = slice_of(data, size);
	struct slice rest = s;
	static struct reply r;
	size_t used;

	/* All at once, reply behind reply. */
	while (rest.n != 0) {
		reply_init(&r);
		if (reply_feed(&r, rest, &used) != REPLY_DONE)
			break;
		look_at(&r);
		rest = slice_from(rest, used);
	}
	if (size < 4096)
		ph_assert(feed(s, 1) == feed(s, 7) || size > 2000);
	return 0;
}
