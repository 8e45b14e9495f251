#include "admin/supreload.h"

#include <string.h>

#include "admin/supctl.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { RELOAD_MS = 15000, ERRORS_MAX = 64 << 10 };

/* What a running host cannot change: locks and sockets are there.  ERR_INVALID
 * and a line in errors for each. */
static int
check_fixed(
    const struct supervisor *s, const struct conf *now, struct buf *errors)
{
	const struct conf *was = s->m.conf;
	const struct {
		const char *name, *was, *now;
	} texts[] = {
		{ "state-dir", was->state_dir, now->state_dir },
		{ "run-dir", was->run_dir, now->run_dir },
		{ "user", was->user, now->user },
	};
	int rc = 0;

	for (size_t i = 0; i < PH_LEN(texts); i++) {
		if (strcmp(texts[i].was, texts[i].now) == 0)
			continue;
		buf_printf(errors,
		    "%s: %s cannot change while the host runs; stop it "
		    "first\n",
		    s->conf_path, texts[i].name);
		rc = ERR_INVALID;
	}
	return rc;
}

/* What changes with the next start. */
static void
warn_later(const struct conf *was, const struct conf *now)
{
	const struct conf_list *a, *b;
	const char *door;

	if (strcmp(was->lmtp_socket, now->lmtp_socket) != 0)
		log_warn(NULL, "reload",
		    "later=lmtp-socket hint=\"changes when the host is "
		    "started again\"");
	for (size_t i = 0; (door = listen_door(was, i, &a)) != NULL; i++) {
		bool same;

		(void)listen_door(now, i, &b);
		same = a->n == b->n;
		for (size_t k = 0; same && k < a->n; k++)
			same = strcmp(a->v[k], b->v[k]) == 0;
		if (!same)
			log_warn(NULL, "reload",
			    "later=listen-%s hint=\"changes when the host is "
			    "started again\"",
			    door);
	}
}

int
supreload_start(struct supervisor *s, struct buf *errors)
{
	struct material fresh;
	struct slice rest, line;
	size_t from = buf_len(errors);
	int rc;

	if ((rc = material_load(s->conf_path, &fresh, errors)) != 0 ||
	    (rc = check_fixed(s, fresh.conf, errors)) != 0) {
		material_fini(&fresh);
		rest = slice_from(buf_slice(errors), from);
		while (slice_split(&rest, '\n', &line))
			if (line.n != 0)
				log_error(NULL, "reload", "kept_old=1 why=%s",
				    log_q(line));
		return rc;
	}
	warn_later(s->m.conf, fresh.conf);
	material_fini(&s->m);
	s->m = fresh;
	if (s->state != SUP_RUN)
		return 0;
	for (size_t i = 0; i < CHILD_COUNT; i++)
		child_reload(&s->children[i], &s->m);
	s->reloading = true;
	s->reload_until_ms = clock_steady_ms() + RELOAD_MS;
	return 0;
}

void
supreload_by_signal(struct supervisor *s)
{
	struct buf errors;

	buf_init(&errors, ERRORS_MAX);
	(void)!supreload_start(s, &errors);
	buf_fini(&errors);
}

void
supreload_check(struct supervisor *s, uint64_t now)
{
	const char *error = NULL;

	if (!s->reloading)
		return;
	for (size_t i = 0; i < CHILD_COUNT; i++) {
		if (s->children[i].reload == RELOAD_BAD)
			error = "a daemon refused it; the log says why";
		if (s->children[i].reload == RELOAD_ASKED &&
		    s->state == SUP_RUN && now < s->reload_until_ms)
			return;
		if (s->children[i].reload == RELOAD_ASKED && error == NULL)
			error = "a daemon did not answer";
	}
	s->reloading = false;
	if (error == NULL)
		log_info(NULL, "reload", "done=1");
	else
		log_error(NULL, "reload", "failed=\"%s\"", error);
	supctl_reloaded(s, error);
}
