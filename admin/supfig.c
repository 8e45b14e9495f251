#include "admin/supfig.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
	TICK_MS = 1000,
	SAMPLE_MS = 5000,
	SAMPLES = 13, /* a minute, and its beginning */
	MINUTE_MS = 60000
};

struct supfig_sample {
	uint64_t at_ms;
	uint64_t v[CHILD_COUNT][FIG_COUNT];
};

/* What people ask about. */
static const struct {
	enum figure figure;
	const char *key;
} counted[] = {
	{ FIG_CONNECTIONS, "connections" },
	{ FIG_TURNED_AWAY, "connections_refused" },
	{ FIG_LOGINS_GOOD, "logins_good" },
	{ FIG_LOGINS_BAD, "logins_bad" },
	{ FIG_ACCEPTED, "messages_accepted" },
	{ FIG_REFUSED, "messages_refused" },
	{ FIG_DELIVERED, "deliveries" },
	{ FIG_RELAY_SENT, "relay_sent" },
	{ FIG_RELAY_DEFERRED, "relay_deferred" },
	{ FIG_RELAY_FAILED, "relay_failed" },
	{ FIG_WEB_GOOD, "requests_good" },
	{ FIG_WEB_BAD, "requests_bad" },
};

static const struct {
	const char *fd;
	char letter; /* figures.def */
} pages[CHILD_NFIGURES] = {
	{ "figures-posthof", 'h' },
	{ "figures-keeper", 'k' },
	{ "figures-imapd", 'i' },
	{ "figures-pop3d", 'p' },
	{ "figures-submitd", 's' },
	{ "figures-webd", 'w' },
};

int
supfig_open(struct supervisor *s, struct err *e)
{
	int fd, rc;

	if ((rc = child_init(s->children, e)) != 0)
		return rc;
	if ((s->figures = figures_new(&fd)) == NULL)
		return err_set(e, ERR_IO, "no memory for figures");
	figures_set(s->figures, FIG_STARTED, (uint64_t)clock_wall_sec());
	for (size_t i = 0; i < CHILD_NFIGURES; i++) {
		int from = i == 0 ? fd : s->children[i - 1].figures_fd;

		s->figure_fds[i] =
		    (struct spawn_fd){ pages[i].fd, figures_reader(from) };
		if (s->figure_fds[i].fd < 0)
			rc = err_set(e, ERR_IO, "no descriptor for figures");
	}
	close(fd);
	s->samples = xcalloc(SAMPLES, sizeof(*s->samples));
	return rc;
}

void
supfig_close(struct supervisor *s)
{
	for (size_t i = 0; i < CHILD_NFIGURES; i++)
		if (s->figure_fds[i].fd > 0)
			close(s->figure_fds[i].fd);
	figures_unmap(s->figures);
	child_fini(s->children);
	free(s->samples);
}

static void
take_sample(struct supervisor *s, uint64_t now)
{
	struct supfig_sample *sample = &s->samples[s->nsamples++ % SAMPLES];

	sample->at_ms = now;
	for (size_t i = 0; i < CHILD_COUNT; i++)
		for (size_t k = 0; k < FIG_COUNT; k++)
			sample->v[i][k] =
			    figures_get(s->children[i].figures, (enum figure)k);
}

void
supfig_tick(struct supervisor *s)
{
	uint64_t now = clock_steady_ms();

	if (now < s->tick_at_ms)
		return;
	s->tick_at_ms = now + TICK_MS;
	figures_self(s->figures, &s->cpu_us);
	if (s->nsamples == 0 ||
	    now - s->samples[(s->nsamples - 1) % SAMPLES].at_ms >= SAMPLE_MS)
		take_sample(s, now);
}

static bool
has(size_t child, enum figure figure)
{
	return strchr(figure_rows[figure].who, pages[child + 1].letter) != NULL;
}

json_t *
supfig_totals(const struct supervisor *s, size_t i)
{
	json_t *j = json_object();

	for (size_t k = 0; k < PH_LEN(counted); k++)
		if (has(i, counted[k].figure))
			(void)json_object_set_new(j, counted[k].key,
			    json_integer((json_int_t)figures_get(
				s->children[i].figures, counted[k].figure)));
	return j;
}

/* From the oldest sample that is not older than a minute; in the host's first
 * minute that is what there was so far. */
json_t *
supfig_per_minute(const struct supervisor *s, size_t i)
{
	const struct supfig_sample *from = NULL;
	uint64_t now = clock_steady_ms();
	json_t *j = json_object();

	for (size_t n = s->nsamples; n > 0 && s->nsamples - n < SAMPLES; n--) {
		const struct supfig_sample *at = &s->samples[(n - 1) % SAMPLES];

		if (now - at->at_ms > MINUTE_MS + TICK_MS)
			break;
		from = at;
	}
	for (size_t k = 0; k < PH_LEN(counted); k++) {
		enum figure f = counted[k].figure;
		uint64_t have = figures_get(s->children[i].figures, f);

		if (has(i, f))
			(void)json_object_set_new(j, counted[k].key,
			    json_integer((
				json_int_t)(have - (from != NULL ? from->v[i][f]
								 : 0))));
	}
	return j;
}
