/*
 * main.c - the `posthof` program: finds the command, the configuration and
 * the place where it runs.
 */
#include <errno.h>
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

/* Paths in posthof.conf are relative to where it lies, and so are ours from
 * here on: the daemons' user need not be able to pass what stands above (a
 * checkout under /root).  *full_out is the caller's to free. */
static void
enter_conf_dir(struct cmd *c, char **full_out)
{
	char *full = realpath(c->conf_path, NULL), *dir;
	struct slice path = slice_str(full);

	*full_out = full;
	if (full == NULL)
		return; /* whoever opens it says why */
	c->conf_path = full;
	dir = slice_dup(slice_sub(path, 0, slice_rchr(path, '/') + 1));
	if (chdir(dir) != 0)
		log_warn(NULL, "conf", "dir=%s errno=%d", dir, errno);
	free(dir);
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
	char *full = NULL;
	int status;

	if (c->row->where != CMD_LOCAL && c->row->where != CMD_HIDDEN)
		enter_conf_dir(c, &full);
	if (c->row->where == CMD_STORE)
		status = run_store_command(c, argc, argv);
	else if (c->row->where == CMD_CONF)
		status = run_with_conf(c);
	else
		status = cmd_run(c);
	free(full);
	return status;
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
