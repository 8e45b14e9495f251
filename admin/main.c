/*
 * main.c - the `posthof` program: finds the command, the configuration and
 * the place where it runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/cmd.h"
#include "admin/run.h"
#include "lib/base/log.h"

enum { USAGE_MAX = 64 << 10 };

static const char default_conf[] = "/etc/posthof/posthof.conf";

/* "-c FILE" may stand before the command; what is left are its words. */
static bool
take_conf_path(int *argc, char ***argv, const char **path_out)
{
	*path_out = getenv("POSTHOF_CONF");
	if (*path_out == NULL)
		*path_out = default_conf;
	(*argc)--;
	(*argv)++;
	while (*argc > 0 && strcmp((*argv)[0], "-c") == 0) {
		if (*argc < 2)
			return false;
		*path_out = (*argv)[1];
		*argc -= 2;
		*argv += 2;
	}
	return true;
}

static int
say_usage(struct cmd *c)
{
	struct buf text;

	buf_init(&text, USAGE_MAX);
	cmd_usage(c, &text);
	run_to_terminal(NULL, OUT_STDERR, buf_slice(&text));
	buf_fini(&text);
	return CMD_USAGE;
}

static int
run_with_conf(struct cmd *c)
{
	struct conf *conf = NULL;
	struct buf errors;
	int status = CMD_REFUSED;

	buf_init(&errors, USAGE_MAX);
	if (conf_load(c->conf_path, &conf, &errors) != 0) {
		if (buf_len(&errors) == 0)
			buf_printf(&errors, "posthof: %s cannot be read\n",
			    c->conf_path);
		run_to_terminal(NULL, OUT_STDERR, buf_slice(&errors));
	} else {
		c->conf = conf;
		status = cmd_run(c);
	}
	buf_fini(&errors);
	conf_free(&conf);
	return status;
}

static int
run(struct cmd *c, size_t argc, const char *const *argv)
{
	switch (c->row->where) {
	case CMD_STORE: return run_store_command(c, argc, argv);
	case CMD_CONF: return run_with_conf(c);
	case CMD_LOCAL:
	case CMD_HIDDEN: break;
	}
	return cmd_run(c);
}

/* --help and --version, as every program has them. */
static void
translate(int argc, const char **argv)
{
	static const struct {
		const char *option, *command;
	} words[] = {
		{ "--help", "help" },
		{ "-h", "help" },
		{ "--version", "version" },
		{ "-V", "version" },
	};

	for (size_t i = 0; argc != 0 && i < PH_LEN(words); i++)
		if (strcmp(argv[0], words[i].option) == 0)
			argv[0] = words[i].command;
}

int
main(int argc, char **argv)
{
	const char *conf_path;
	struct cmd c;
	int status;

	log_init("posthof", LOG_INFO);
	if (!take_conf_path(&argc, &argv, &conf_path)) {
		(void)fputs("posthof: -c needs a file\n", stderr);
		return CMD_USAGE;
	}
	translate(argc, (const char **)argv);
	status = cmd_init(&c, (size_t)argc, (const char *const *)argv);
	c.conf_path = conf_path;
	c.out.sink = run_to_terminal;
	if (status == CMD_DONE)
		status = run(&c, (size_t)argc, (const char *const *)argv);
	else
		status = say_usage(&c);
	cmd_fini(&c);
	return status;
}
