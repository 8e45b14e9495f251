#include "admin/cmd.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WHAT_BYTES = 512 };

static bool
matches(const struct cmd_row *row, size_t argc, const char *const *argv,
    size_t *used_out)
{
	struct slice rest = slice_str(row->name), word;
	size_t n = 0;

	while (slice_split(&rest, ' ', &word)) {
		if (n >= argc || !slice_eq(slice_str(argv[n]), word))
			return false;
		n++;
	}
	*used_out = n;
	return true;
}

const struct cmd_row *
cmd_find(size_t argc, const char *const *argv, size_t *used_out)
{
	const struct cmd_row *row;

	for (size_t i = 0; (row = cmd_at(i)) != NULL; i++)
		if (matches(row, argc, argv, used_out))
			return row;
	return NULL;
}

/* "account": a word that begins commands, but is none. */
static bool
is_group(const char *word)
{
	const struct cmd_row *row;

	for (size_t i = 0; (row = cmd_at(i)) != NULL; i++) {
		struct slice name = slice_str(row->name);

		if (slice_eq(slice_sub(name, 0, slice_chr(name, ' ')),
			slice_str(word)))
			return true;
	}
	return false;
}

static int
no_such(struct cmd *c, size_t argc, const char *const *argv)
{
	if (argc == 0)
		(void)err_set(&c->err, ERR_INVALID, "no command is given");
	else if (is_group(argv[0]) && argc > 1)
		(void)err_set(&c->err, ERR_INVALID, "no such command: %s %s",
		    argv[0], argv[1]);
	else if (is_group(argv[0]))
		(void)err_set(&c->err, ERR_INVALID,
		    "%s what?  See `posthof help %s`", argv[0], argv[0]);
	else
		(void)err_set(
		    &c->err, ERR_INVALID, "no such command: %s", argv[0]);
	return CMD_USAGE;
}

int
cmd_init(struct cmd *c, size_t argc, const char *const *argv)
{
	size_t used = 0;

	*c = (struct cmd){ .profile_fd = -1 };
	arena_init(&c->arena);
	out_init(&c->out, NULL, NULL);
	if ((c->row = cmd_find(argc, argv, &used)) == NULL)
		return no_such(c, argc, argv);
	if (args_parse(&c->args,
		arena_printf(&c->arena, "%s json", c->row->opts), argc - used,
		argv + used, &c->err) != 0)
		return CMD_USAGE;
	if (c->args.nwords < c->row->min || c->args.nwords > c->row->max) {
		(void)err_set(&c->err, ERR_INVALID, "%s: too %s words",
		    c->row->name,
		    c->args.nwords < c->row->min ? "few" : "many");
		return CMD_USAGE;
	}
	c->out.json = args_has(&c->args, "json");
	return CMD_DONE;
}

void
cmd_fini(struct cmd *c)
{
	out_fini(&c->out);
	arena_clear(&c->arena);
}

/* Programs that call us get one object in any case. */
static void
say_result(struct cmd *c, int status)
{
	const char *kind = status == CMD_USAGE ? "usage" : err_name(c->refused);
	json_t *j;

	if (status == CMD_DONE)
		j = json_pack("{s:s}", "result", "ok");
	else
		j = json_pack("{s:s,s:s,s:o}", "result", "refused", "error",
		    kind, "text", out_str(slice_str(c->out.why)));
	out_record(&c->out, NULL, 0, j);
}

int
cmd_run(struct cmd *c)
{
	int status;

	c->err = (struct err){ 0 };
	c->refused = ERR_INVALID;
	status = c->row->run(c);
	if (c->out.json && !c->out.said && c->row->where == CMD_STORE)
		say_result(c, status);
	out_flush(&c->out);
	return status;
}

bool
cmd_wants_input(const struct cmd *c)
{
	if (c->row->input == NULL)
		return false;
	return strcmp(c->row->input, "*") == 0 ||
	       args_has(&c->args, c->row->input);
}

void
cmd_usage(struct cmd *c, struct buf *out)
{
	if (c->err.text[0] != '\0')
		buf_printf(out, "posthof: %s\n", c->err.text);
	if (c->row != NULL)
		buf_printf(out, "usage: posthof [-c FILE] %s%s%s\n",
		    c->row->name, c->row->usage[0] != '\0' ? " " : "",
		    c->row->usage);
	else
		buf_add_str(out,
		    "usage: posthof [-c FILE] COMMAND ...; see `posthof "
		    "help`\n");
}

/* What to say for errors that brought no words. */
static const char *
reason(const struct cmd *c, int rc)
{
	static const struct {
		int rc;
		const char *text;
	} texts[] = {
		{ ERR_NOTFOUND, "there is none" },
		{ ERR_EXISTS, "there is one already" },
		{ ERR_BUSY, "in use; try again" },
		{ ERR_NOSPACE, "the disk is full" },
		{ ERR_CORRUPT, "stored data is damaged; see the log and run "
			       "`posthof fsck`" },
		{ ERR_IO, "reading or writing failed; see the log" },
		{ ERR_TOOBIG, "too long" },
	};

	if (c->err.kind == rc && c->err.text[0] != '\0')
		return c->err.text;
	for (size_t i = 0; i < PH_LEN(texts); i++)
		if (texts[i].rc == rc)
			return texts[i].text;
	return err_name(rc);
}

int
cmd_refuse(struct cmd *c, int rc, const char *fmt, ...)
{
	char what[WHAT_BYTES];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	c->refused = rc;
	out_error(&c->out, "posthof: %s: %s\n", what, reason(c, rc));
	return CMD_REFUSED;
}

int
cmd_sync(struct cmd *c)
{
	int rc = c->batch ? 0 : store_sync_now(c->store);

	if (rc != 0)
		return cmd_refuse(c, rc, "cannot write to disk");
	return CMD_DONE;
}
