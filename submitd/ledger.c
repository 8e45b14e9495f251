#include "submitd/ledger.h"

#include "lib/base/log.h"
#include "lib/net/loop.h"

enum { RETRY_MS = 5000 };

void
ledger_init(
    struct ledger *l, struct server_loop *sl, void (*written)(struct errand *e))
{
	*l = (struct ledger){ .sl = sl, .written = written };
	TAILQ_INIT(&l->settled);
	TAILQ_INIT(&l->failed);
}

static void
write_alone(struct store *s, struct errand *e, const struct queue_change *ch)
{
	e->rc = queue_settle(s, ch, 1);
}

/* All that need no report at once; when that fails, for instance because an
 * operator has dropped a row meanwhile, one by one. */
static void
write_plain(struct store *s, struct errand *const *v,
    const struct queue_change *ch, size_t n)
{
	int rc = queue_settle(s, ch, n);

	for (size_t i = 0; i < n; i++)
		if (rc != 0)
			write_alone(s, v[i], &ch[i]);
}

static void
write_work(struct sjob *j)
{
	struct ledger *l = PH_CONTAINER(j, struct ledger, job);
	struct queue_change ch[LEDGER_BATCH];
	struct errand *plain[LEDGER_BATCH];
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (errand_write(l->batch[i], j->srv, &ch[n]))
			plain[n++] = l->batch[i];
	if (n != 0)
		write_plain(j->srv->store, plain, ch, n);
	for (size_t i = 0; i < l->n; i++) {
		/* Dropped by an operator: nothing is left to do. */
		if (l->batch[i]->rc == ERR_NOTFOUND)
			l->batch[i]->rc = 0;
		j->durable = j->durable || l->batch[i]->rc == 0;
	}
}

static void write_done(struct sjob *j);

static void
start(struct ledger *l)
{
	struct errand *e;

	l->n = 0;
	while (l->n < LEDGER_BATCH && (e = TAILQ_FIRST(&l->settled)) != NULL) {
		TAILQ_REMOVE(&l->settled, e, link);
		l->batch[l->n++] = e;
	}
	l->working = true;
	l->job = (struct sjob){ .work = write_work, .done = write_done };
	sjob_submit(l->sl, &l->job);
}

/* True: e is done with. */
static bool
is_over(struct ledger *l, struct errand *e)
{
	char id[24];

	if (e->rc == 0) {
		errand_log_state(e);
		return true;
	}
	/* Once, not with every try. */
	queue_id_text(e->row.id, id);
	if (!l->sick || l->stopping)
		log_error(id, "queue", "commit=%s", err_name(e->rc));
	if (l->stopping)
		return true;
	TAILQ_INSERT_TAIL(&l->failed, e, link);
	l->retry_at = loop_now_ms(l->sl->loop) + RETRY_MS;
	return false;
}

static void
write_done(struct sjob *j)
{
	struct ledger *l = PH_CONTAINER(j, struct ledger, job);
	struct errand *done[LEDGER_BATCH];
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct errand *e = l->batch[i];

		if (e->rc == 0)
			e->rc = j->rc;
		if (is_over(l, e))
			done[n++] = e;
	}
	if (l->sick && !l->stopping && TAILQ_EMPTY(&l->failed) &&
	    TAILQ_EMPTY(&l->settled))
		log_info(NULL, "queue", "commit=ok again=1");
	l->sick =
	    !TAILQ_EMPTY(&l->failed) || (l->sick && !TAILQ_EMPTY(&l->settled));
	l->working = false;
	if (!TAILQ_EMPTY(&l->settled))
		start(l);
	/* The last of these may be what the ledger's end waits for. */
	for (size_t i = 0; i < n; i++)
		l->written(done[i]);
}

void
ledger_add(struct ledger *l, struct errand *e)
{
	TAILQ_INSERT_TAIL(&l->settled, e, link);
	if (!l->working)
		start(l);
}

bool
ledger_sick(const struct ledger *l)
{
	return l->sick;
}

/* l->sick stays until all of them are written. */
static void
retry(struct ledger *l)
{
	TAILQ_CONCAT(&l->settled, &l->failed, link);
	if (!l->working && !TAILQ_EMPTY(&l->settled))
		start(l);
}

void
ledger_tick(struct ledger *l, uint64_t now_ms)
{
	if (!TAILQ_EMPTY(&l->failed) && !l->working && now_ms >= l->retry_at)
		retry(l);
}

void
ledger_stop(struct ledger *l)
{
	l->stopping = true;
	retry(l);
}

bool
ledger_empty(const struct ledger *l)
{
	return !l->working && TAILQ_EMPTY(&l->settled) &&
	       TAILQ_EMPTY(&l->failed);
}
