#include "admin/cmds.h"

#include <sys/stat.h>
#include <unistd.h>

#include "admin/confman.h"
#include "admin/listen.h"
#include "admin/profsign.h"
#include "admin/tlsload.h"
#include "admin/user.h"
#include "auth/ident.h"
#include "auth/network.h"
#include "lib/base/clock.h"
#include "lib/base/conf.h"
#include "lib/base/mem.h"

enum { TEXT_MAX = 16 << 20, SOON_SEC = 7 * 86400 };

/* One check of the whole; counts what is wrong. */
struct check {
	struct cmd *c;
	const struct conf *conf;
	unsigned wrong;
};

static void
check_doors(struct check *k)
{
	const struct conf_list *list;
	const char *door;
	struct err e;

	for (size_t i = 0; (door = listen_door(k->conf, i, &list)) != NULL; i++)
		for (size_t n = 0; n < list->n; n++)
			if (listen_check(list->v[n], &e) != 0) {
				out_error(&k->c->out, "%s: listen-%s: %s\n",
				    k->c->conf_path, door, e.text);
				k->wrong++;
			}
}

static void
on_tls(const struct tlsload_entry *en, void *arg)
{
	struct check *k = arg;
	int64_t now = clock_wall_sec();
	char when[32];

	if (en->rc != 0) {
		out_error(&k->c->out, "%s: tls: %s\n", k->c->conf_path,
		    en->err->text);
		k->wrong++;
		return;
	}
	if (en->expires_at < now + SOON_SEC) {
		out_time_text(en->expires_at, when);
		out_error(&k->c->out, "%s: tls: %s %s at %s; renew it\n",
		    k->c->conf_path, en->chain_path,
		    en->expires_at < now ? "expired" : "expires", when);
		k->wrong += en->expires_at < now;
	}
	if (!en->covers && (en->name[0] != '*' || k->conf->hostname[0] != '\0'))
		out_error(&k->c->out,
		    "%s: tls: warning: %s does not cover the name %s\n",
		    k->c->conf_path, en->chain_path,
		    en->name[0] != '*' ? en->name : k->conf->hostname);
}

static void
check_tls(struct check *k)
{
	struct buf bundle;
	struct err e = { 0 };
	unsigned before = k->wrong;

	buf_init(&bundle, TEXT_MAX);
	if (tlsload(k->conf, &bundle, on_tls, k, &e) != 0 &&
	    k->wrong == before) {
		out_error(&k->c->out, "%s: tls: %s\n", k->c->conf_path, e.text);
		k->wrong++;
	}
	if (bundle.p != NULL)
		mem_wipe(bundle.p, bundle.cap);
	buf_fini(&bundle);
}

static void
check_profile(struct check *k)
{
	struct buf errors;
	int fd = -1;

	buf_init(&errors, TEXT_MAX);
	if (profsign_load(k->conf, &fd, &errors) != 0) {
		out_error(&k->c->out, "%s: %.*s", k->c->conf_path,
		    (int)buf_len(&errors), errors.p != NULL ? errors.p : "\n");
		k->wrong++;
	}
	if (fd >= 0)
		close(fd);
	buf_fini(&errors);
}

/* Figures are for this machine's own eyes. */
static void
check_metrics(struct check *k)
{
	static const struct slice own[] = { { "127.", 4 }, { "[::1]:", 6 },
		{ "localhost:", 10 } };
	const struct conf_list *list = &k->conf->listen_metrics;

	for (size_t n = 0; n < list->n; n++) {
		bool is_own = false;

		for (size_t i = 0; i < PH_LEN(own); i++)
			is_own = is_own ||
				 slice_starts(slice_str(list->v[n]), own[i]);
		if (!is_own)
			out_error(&k->c->out,
			    "%s: listen-metrics: warning: %s is not a "
			    "loopback address; anyone who reaches it may read "
			    "the figures\n",
			    k->c->conf_path, list->v[n]);
	}
}

/* imap-raw-log: what is neither an account nor a network would never fit. */
static void
check_raw_log(struct check *k)
{
	const struct conf_list *list = &k->conf->imap_raw_log;
	struct slice word;
	struct buf folded;
	struct err e = { 0 };

	for (size_t n = 0; n < list->n; n++) {
		word = slice_str(list->v[n]);
		if (ident_is_account(word, NULL))
			continue;
		buf_init(&folded, TEXT_MAX);
		if (network_fold(word, &folded, &e) != 0 ||
		    buf_len(&folded) == 0) {
			out_error(&k->c->out,
			    "%s: imap-raw-log: %s is neither an account nor a "
			    "network\n",
			    k->c->conf_path, list->v[n]);
			k->wrong++;
		}
		buf_fini(&folded);
	}
}

static void
check_user(struct check *k)
{
	struct user user;
	struct err e;

	if (user_lookup(k->conf->user, &user, &e) == 0)
		return;
	out_error(&k->c->out, "%s: user: %s\n", k->c->conf_path, e.text);
	k->wrong++;
}

int
cmd_check_config(struct cmd *c)
{
	struct check k = { .c = c };
	struct conf *conf = NULL;
	struct buf errors;
	int rc;

	buf_init(&errors, TEXT_MAX);
	if ((rc = conf_load(c->conf_path, &conf, &errors)) != 0) {
		if (buf_len(&errors) == 0)
			buf_printf(&errors, "%s: cannot be read (%s)\n",
			    c->conf_path, err_name(rc));
		out_error(&c->out, "%.*s", (int)buf_len(&errors), errors.p);
		k.wrong++;
	} else {
		k.conf = conf;
		check_doors(&k);
		check_tls(&k);
		check_profile(&k);
		check_metrics(&k);
		check_raw_log(&k);
		check_user(&k);
		conf_free(&conf);
	}
	buf_fini(&errors);
	if (k.wrong != 0)
		return CMD_REFUSED;
	out_printf(&c->out, "%s: good\n", c->conf_path);
	return CMD_DONE;
}

int
cmd_sample_config(struct cmd *c)
{
	struct buf text;

	buf_init(&text, TEXT_MAX);
	if (args_has(&c->args, "man"))
		confman(&text);
	else
		conf_sample(&text);
	out_bytes(&c->out, buf_slice(&text));
	buf_fini(&text);
	return CMD_DONE;
}
