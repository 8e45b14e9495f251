#include "imapd/append.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

enum { LITERALS_MAX = 20000 };

bool
append_begin(struct client *c, uint64_t size, bool binary)
{
	const struct conf *conf = client_conf(c);
	uint64_t max = conf->message_max * APPEND_TOTAL_TIMES;
	struct append_in *in = c->append;

	if (in == NULL) {
		in = c->append = xcalloc(1, sizeof(*in));
		in->spool =
		    spool_new(client_store(c), conf->message_memory, max);
	}
	if (in->n == LITERALS_MAX || size > max - in->total)
		return false;
	in->total += size;
	in->eight = binary;
	return true;
}

void
append_bytes(struct client *c, struct slice bytes)
{
	struct append_in *in = c->append;

	if (!in->eight && memchr(bytes.p, '\0', bytes.n) != NULL)
		in->has_nul = true;
	in->failed |= spool_add(in->spool, bytes) != 0;
}

void
append_end(struct client *c)
{
	struct append_in *in = c->append;

	in->ends = mem_grow(in->ends, &in->cap, in->n, sizeof(*in->ends));
	in->ends[in->n++] = in->total;
}

static void
spill_work(struct sjob *j)
{
	struct append_in *in = client_of_job(j)->append;

	in->failed |= spool_spill(in->spool) != 0;
}

static void
spill_done(struct sjob *j)
{
	struct client *c = client_of_job(j);

	if (client_back(c))
		client_run(c);
}

void
append_spill(struct client *c)
{
	if (!c->append->failed && spool_wants_spill(c->append->spool))
		client_job(c, false, spill_work, spill_done);
}

void
append_replace(struct client *c, struct spool *spool, uint64_t *ends, size_t n)
{
	bool nul = c->append != NULL && c->append->has_nul;

	append_drop(c);
	c->append = xcalloc(1, sizeof(*c->append));
	c->append->spool = spool;
	c->append->ends = ends;
	c->append->n = n;
	c->append->has_nul = nul;
}

void
append_drop(struct client *c)
{
	if (c->append == NULL)
		return;
	spool_free(&c->append->spool);
	free(c->append->ends);
	free(c->append);
	c->append = NULL;
}
