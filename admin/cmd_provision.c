#include "admin/cmds.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

enum { MESSAGE_MAX = 4096 };

/* What one line said, kept until its number is known to be good or bad. */
struct said {
	struct buf out, err;
};

static const struct out_col cols[] = {
	{ "line", "LINE", OUT_NUM },
	{ "status", "STATUS", OUT_TEXT },
	{ "answer", NULL, OUT_TEXT },
	{ "error", "ERROR", OUT_TEXT },
};

static void
keep(void *arg, enum out_stream stream, struct slice bytes)
{
	struct said *s = arg;

	buf_add_slice(stream == OUT_STDERR ? &s->err : &s->out, bytes);
}

/* Reads one word of the line, with "..." around blanks; false at the end. */
static bool
next_word(struct slice *rest, struct slice *word_out, bool *bad_out)
{
	*rest = slice_trim(*rest);
	if (rest->n == 0)
		return false;
	if (rest->p[0] == '"') {
		struct slice inner = slice_from(*rest, 1);
		size_t end = slice_chr(inner, '"');

		*bad_out = end == inner.n;
		*word_out = slice_sub(inner, 0, end);
		*rest = slice_from(inner, end + 1);
		return true;
	}
	for (size_t i = 0; i <= rest->n; i++)
		if (i == rest->n || rest->p[i] == ' ' || rest->p[i] == '\t') {
			*word_out = slice_sub(*rest, 0, i);
			*rest = slice_from(*rest, i);
			break;
		}
	return true;
}

static int
split(struct slice line, struct arena *a, const char **words, size_t *n_out,
    struct err *e)
{
	struct slice word;
	bool bad = false;
	size_t n = 0;

	while (next_word(&line, &word, &bad)) {
		if (bad)
			return err_set(e, ERR_INVALID, "a \" is not closed");
		if (n == ARGS_WORDS_MAX)
			return err_set(e, ERR_INVALID, "too many words");
		if (slice_chr(word, '\0') != word.n)
			return err_set(e, ERR_INVALID, "a NUL byte");
		words[n++] = arena_str(a, word);
	}
	*n_out = n;
	return 0;
}

/* Standard input is the batch, and a batch in a batch makes no sense. */
static bool
may_run(const struct cmd_row *row)
{
	static const char *const groups[] = { "package ", "domain ", "account ",
		"address " };

	for (size_t i = 0; i < PH_LEN(groups); i++)
		if (slice_starts(slice_str(row->name), slice_str(groups[i])))
			return true;
	return false;
}

static int
run_line(struct cmd *c, struct slice line, struct said *said)
{
	const char *words[ARGS_WORDS_MAX];
	struct arena a;
	struct err e = { 0 };
	struct cmd one;
	size_t n = 0;
	int status;

	arena_init(&a);
	if (split(line, &a, words, &n, &e) != 0) {
		buf_printf(&said->err, "posthof: %s\n", e.text);
		arena_clear(&a);
		return CMD_USAGE;
	}
	status = cmd_init(&one, n, words);
	one.out.sink = keep;
	one.out.json = one.out.json || c->out.json;
	one.out.arg = said;
	one.conf = c->conf;
	one.conf_path = c->conf_path;
	one.store = c->store;
	one.batch = true;
	if (status == CMD_DONE &&
	    (!may_run(one.row) || cmd_wants_input(&one))) {
		(void)err_set(&one.err, ERR_INVALID,
		    "%s cannot stand in a batch%s", one.row->name,
		    cmd_wants_input(&one) ? " with --password-stdin" : "");
		status = CMD_USAGE;
	}
	if (status == CMD_DONE)
		status = cmd_run(&one);
	else
		cmd_usage(&one, &said->err);
	cmd_fini(&one);
	arena_clear(&a);
	return status;
}

static void
report(struct cmd *c, size_t number, int status, const struct said *said)
{
	struct slice out = slice_trim(buf_slice(&said->out));
	struct slice err = slice_trim(buf_slice(&said->err));
	json_t *answer;

	if (c->out.json) {
		/* What the command answered, as it would alone. */
		answer = json_loadb(out.p != NULL ? out.p : "", out.n, 0, NULL);
		out_row(&c->out,
		    json_pack("{s:I,s:s,s:o,s:o}", "line", (json_int_t)number,
			"status", status == CMD_DONE ? "ok" : "refused",
			"answer", answer != NULL ? answer : json_null(),
			"error", out_str(err)));
		return;
	}
	if (status != CMD_DONE)
		out_error(
		    &c->out, "line %zu: %.*s\n", number, (int)err.n, err.p);
	else if (out.n != 0)
		out_printf(
		    &c->out, "line %zu: %.*s\n", number, (int)out.n, out.p);
}

int
cmd_provision(struct cmd *c)
{
	struct slice rest = c->input, line;
	struct said said;
	size_t number = 0, good = 0, bad = 0;
	int status;

	buf_init(&said.out, MESSAGE_MAX);
	buf_init(&said.err, MESSAGE_MAX);
	if (c->out.json)
		out_begin(&c->out, cols, PH_LEN(cols));
	while (rest.n != 0 && slice_split(&rest, '\n', &line)) {
		number++;
		line = slice_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		buf_clear(&said.out);
		buf_clear(&said.err);
		status = run_line(c, line, &said);
		good += status == CMD_DONE;
		bad += status != CMD_DONE;
		report(c, number, status, &said);
	}
	if (c->out.json)
		out_end(&c->out);
	status = cmd_sync(c);
	if (!c->out.json)
		out_printf(&c->out, "%zu done, %zu refused\n", good, bad);
	if (said.out.p != NULL)
		mem_wipe(said.out.p, said.out.cap); /* made passwords */
	buf_fini(&said.out);
	buf_fini(&said.err);
	return bad == 0 ? status : CMD_REFUSED;
}
