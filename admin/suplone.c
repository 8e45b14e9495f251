#include "admin/suplone.h"

#include <sys/wait.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { PAUSE_MIN_MS = 1000, PAUSE_MAX_MS = 60000, GOOD_RUN_MS = 60000 };

void
suplone_failed(struct supervisor *s, struct child *c, const char *why)
{
	uint64_t now = clock_steady_ms();

	c->failures++;
	figures_add(c->figures, FIG_FAILURES, 1);
	if (now - c->started_ms > GOOD_RUN_MS)
		c->pause_ms = 0;
	c->pause_ms = c->pause_ms == 0 ? PAUSE_MIN_MS : c->pause_ms * 2;
	if (c->pause_ms > PAUSE_MAX_MS)
		c->pause_ms = PAUSE_MAX_MS;
	c->start_at_ms = now + c->pause_ms;
	log_error(NULL, s->stopping ? "stop" : "failure",
	    "program=%s why=\"%s\" pid=%d again_ms=%llu", child_name(c), why,
	    (int)c->pid, (unsigned long long)c->pause_ms);
}

static void
look_after(struct supervisor *s, struct child *c, uint64_t now)
{
	const char *why = child_sick(c, now);

	if (why != NULL) {
		log_error(NULL, "failure", "program=%s why=\"%s\"",
		    child_name(c), why);
		child_kill(c);
	}
	if (c->pid == 0 && !s->stopping && now >= c->start_at_ms &&
	    child_is_wanted(c, &s->listen) && supervise_start(s, c) != 0)
		c->start_at_ms = now + PAUSE_MAX_MS;
}

void
suplone_step(struct supervisor *s, uint64_t now)
{
	struct child *keeper = &s->children[0];

	for (size_t i = 0; i < CHILD_COUNT; i++) {
		struct child *c = &s->children[i];

		if (!child_is_lone(c))
			continue;
		if (keeper->domains_new)
			child_tell_domains(c, keeper->domains_fd);
		if (s->was_up)
			look_after(s, c, now);
	}
	keeper->domains_new = false;
}

void
suplone_end(struct supervisor *s)
{
	for (size_t i = 0; i < CHILD_COUNT; i++) {
		struct child *c = &s->children[i];

		if (c->pid == 0)
			continue;
		child_kill(c);
		(void)waitpid(c->pid, NULL, 0);
		child_ended(c);
	}
}
