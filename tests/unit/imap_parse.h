/*
 * imap_parse.h - running a rule of imapd's grammar over text, and over all
 * that is nearly that text.
 */
#ifndef TESTS_UNIT_IMAP_PARSE_H
#define TESTS_UNIT_IMAP_PARSE_H

#include "imapd/parse.h"
#include "tests/unit/unit.h"

typedef bool imap_rule(struct parse *p, void **args_out);

/* Memory of *args_out is in the arena; the text's block is freed when keep is
 * NULL. */
static inline bool
imap_run(imap_rule *rule, const void *text, size_t n, struct arena *a,
    void **args_out, struct slice *keep)
{
	struct slice in = unit_exact(text, n);
	struct parse p;
	bool good;

	parse_init(&p, in, a, false);
	good = rule(&p, args_out);
	assert_int_equal(good, cur_ok(&p.c));
	if (good)
		assert_true(cur_eof(&p.c));
	else
		assert_non_null(p.c.why);
	if (keep != NULL)
		*keep = in;
	else
		unit_free(in);
	return good;
}

/* Every prefix, and every byte changed to each of some that matter. */
static inline void
imap_mangle(imap_rule *rule, const char *text, size_t n)
{
	static const char others[] = "\0\r\n\"\\(){}[]<>*%,:.+-~$ 09aA\x80\xff";
	struct arena a;
	char copy[2048];
	void *args;

	assert_true(n < sizeof(copy));
	arena_init(&a);
	for (size_t i = 0; i < n; i++) {
		(void)imap_run(rule, text, i, &a, &args, NULL);
		arena_clear(&a);
		for (size_t k = 0; k < sizeof(others) - 1; k++) {
			memcpy(copy, text, n);
			copy[i] = others[k];
			(void)imap_run(rule, copy, n, &a, &args, NULL);
			arena_clear(&a);
		}
	}
}

struct imap_case {
	imap_rule *rule;
	const char *text;
	bool good;
};

static inline void
imap_cases(const struct imap_case *v, size_t n)
{
	struct arena a;
	void *args;

	arena_init(&a);
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(v[i].text);
		bool good =
		    imap_run(v[i].rule, v[i].text, len, &a, &args, NULL);

		if (good != v[i].good)
			fail_msg("case %zu \"%s\": %s", i, v[i].text,
			    good ? "accepted" : "refused");
		arena_clear(&a);
		imap_mangle(v[i].rule, v[i].text, len);
	}
}

#endif
