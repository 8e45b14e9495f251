#include "admin/cmds.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/ctl.h"
#include "admin/supctl.h"
#include "admin/tally.h"
#include "storage/queue.h"

enum { STORE_TEXT_MAX = 64 << 10 };

static const struct out_col host_cols[] = {
	{ "state", "Host", OUT_TEXT },
	{ "pid", "Supervisor", OUT_NUM },
	{ "uptime_sec", "Up for seconds", OUT_NUM },
	{ "restarts", "Restarts", OUT_NUM },
};

static const struct out_col daemon_cols[] = {
	{ "name", "DAEMON", OUT_TEXT },
	{ "state", "STATE", OUT_TEXT },
	{ "pid", "PID", OUT_NUM },
	{ "uptime_sec", "UP", OUT_NUM },
	{ "clients", "CLIENTS", OUT_NUM },
	{ "sessions", "SESSIONS", OUT_NUM },
	{ "clients_total", "TOTAL", OUT_NUM },
	{ "oldest_call_ms", "OLDEST MS", OUT_NUM },
	{ "failures", "FAILURES", OUT_NUM },
};

/* What the last minute brought. */
static const struct out_col rate_cols[] = {
	{ "name", "LAST MINUTE", OUT_TEXT },
	{ "connections", "CONNECTIONS", OUT_NUM },
	{ "logins_good", "LOGINS", OUT_NUM },
	{ "logins_bad", "BAD", OUT_NUM },
	{ "messages_accepted", "ACCEPTED", OUT_NUM },
	{ "deliveries", "DELIVERED", OUT_NUM },
	{ "relay_sent", "RELAYED", OUT_NUM },
	{ "relay_deferred", "DEFERRED", OUT_NUM },
};

static const struct out_col store_cols[] = {
	{ "mail_bytes", "Mail on disk", OUT_BYTES },
	{ "index_bytes", "Index on disk", OUT_BYTES },
	{ "free_bytes", "Free space", OUT_BYTES },
	{ "has_space", "Takes mail", OUT_BOOL },
	{ "last_checkpoint", "Last checkpoint", OUT_TIME },
	{ "last_backup", "Last backup", OUT_TIME },
	{ "queue_queued", "Queue: new", OUT_NUM },
	{ "queue_deferred", "Queue: deferred", OUT_NUM },
	{ "queue_held", "Queue: held", OUT_NUM },
	{ "queue_scheduled", "Queue: scheduled", OUT_NUM },
	{ "cache_hit_percent", "Cache hits %", OUT_NUM },
	{ "locks_peak", "Locks, most", OUT_NUM },
	{ "locks_max", "Locks, room", OUT_NUM },
	{ "deadlocks", "Deadlocks", OUT_NUM },
	{ "flushes", "Flushes", OUT_NUM },
};

static json_t *
store_json(
    struct cmd *c, const struct store_stats *st, const struct queue_counts *q)
{
	const char *dir = c->conf->state_dir;
	const struct {
		const char *key;
		uint64_t n;
	} numbers[] = {
		{ "mail_bytes", tally_mail_bytes(dir) },
		{ "index_bytes", tally_index_bytes(dir) },
		{ "free_bytes", st->free_bytes },
		{ "queue_queued", q->queued },
		{ "queue_deferred", q->deferred },
		{ "queue_held", q->held },
		{ "queue_scheduled", q->scheduled },
		{ "locks_peak", st->locks_peak },
		{ "locks_max", st->locks_max },
		{ "deadlocks", st->deadlocks },
		{ "flushes", st->flushes },
	};
	uint64_t asked = st->cache_hit + st->cache_miss;
	json_t *j = json_pack("{s:b,s:o,s:o,s:I}", "has_space",
	    (int)store_has_space(c->store), "last_checkpoint",
	    out_time(st->last_checkpoint_sec), "last_backup",
	    out_time(tally_last_backup(dir)), "cache_hit_percent",
	    (json_int_t)(asked != 0 ? st->cache_hit * 100 / asked : 100));

	for (size_t i = 0; i < PH_LEN(numbers); i++)
		(void)json_object_set_new(
		    j, numbers[i].key, json_integer((json_int_t)numbers[i].n));
	return j;
}

int
cmd_store_status(struct cmd *c)
{
	struct store_stats st;
	struct queue_counts q;
	int rc;

	if ((rc = store_stats_get(c->store, &st)) != 0 ||
	    (rc = queue_count(c->store, &q)) != 0)
		return cmd_refuse(c, rc, "store status");
	out_record(
	    &c->out, store_cols, PH_LEN(store_cols), store_json(c, &st, &q));
	return CMD_DONE;
}

static void
collect(void *arg, enum out_stream stream, struct slice bytes)
{
	if (stream == OUT_STDOUT)
		buf_add_slice(arg, bytes);
}

/* What the keeper knows; NULL while it is not there. */
static json_t *
ask_keeper(struct cmd *c)
{
	static const char *const words[] = { "store", "status", "--json" };
	struct buf text;
	json_t *j = NULL;
	int fd, status = CMD_REFUSED;

	if (ctl_dial(c->conf->run_dir, &fd, NULL) != 0)
		return NULL;
	buf_init(&text, STORE_TEXT_MAX);
	if (ctl_ask(fd, PH_LEN(words), words, SLICE(""), collect, &text,
		&status, NULL) == 0 &&
	    status == CMD_DONE && buf_len(&text) != 0)
		j = json_loadb(text.p, buf_len(&text), 0, NULL);
	buf_fini(&text);
	close(fd);
	return j;
}

/* Daemons that people talk to; a figure one does not have is empty. */
static void
print_rates(struct cmd *c, json_t *daemons)
{
	out_begin(&c->out, rate_cols, PH_LEN(rate_cols));
	for (size_t i = 0; i < json_array_size(daemons); i++) {
		json_t *d = json_array_get(daemons, i);
		json_t *rates = json_object_get(d, "per_minute"), *row;

		if (json_object_get(rates, "connections") == NULL)
			continue;
		row = json_copy(rates);
		(void)json_object_set(row, "name", json_object_get(d, "name"));
		out_row(&c->out, row);
	}
	out_end(&c->out);
}

static void
print(struct cmd *c, json_t *host, json_t *store)
{
	json_t *list = json_object_get(host, "daemons");

	out_record(&c->out, host_cols, PH_LEN(host_cols), json_incref(host));
	out_printf(&c->out, "\n");
	out_begin(&c->out, daemon_cols, PH_LEN(daemon_cols));
	for (size_t i = 0; i < json_array_size(list); i++)
		out_row(&c->out, json_incref(json_array_get(list, i)));
	out_end(&c->out);
	out_printf(&c->out, "\n");
	print_rates(c, list);
	if (store == NULL)
		return;
	out_printf(&c->out, "\n");
	out_record(&c->out, store_cols, PH_LEN(store_cols), json_incref(store));
}

/* A host that does not run is an answer, with exit status 1. */
static int
say_down(struct cmd *c, int rc)
{
	if (rc != ERR_NOTFOUND)
		return cmd_refuse(c, rc, "status");
	if (c->out.json)
		out_record(
		    &c->out, NULL, 0, json_pack("{s:s}", "state", "stopped"));
	else
		out_printf(&c->out, "stopped\n");
	return CMD_REFUSED;
}

int
cmd_status(struct cmd *c)
{
	char *text = NULL;
	json_t *host, *store;
	int rc;

	rc = supctl_ask(c->conf->run_dir, "status", false, &text, &c->err);
	if (rc != 0)
		return say_down(c, rc);
	host = json_loads(text, 0, NULL);
	free(text);
	if (host == NULL)
		return cmd_refuse(c, ERR_INTERNAL, "status");
	(void)json_object_del(host, "ok");
	store = ask_keeper(c);
	if (c->out.json) {
		(void)json_object_set_new(host, "store",
		    store != NULL ? json_incref(store) : json_null());
		out_record(&c->out, NULL, 0, json_incref(host));
	} else {
		print(c, host, store);
	}
	json_decref(host);
	json_decref(store);
	return CMD_DONE;
}
