#include "lib/daemon/server.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/daemon/priv.h"

enum {
	TEXT_MAX = 16 << 20,
	LOCK_WAIT_MS = 10000,
	HEAP_SPARE = 2 << 20,
	HEAP_MAPS = 1 << 20
};

static int
open_tls(struct server *srv, struct err *e)
{
	int fd = inherit_find(&srv->priv->fds, SLICE("tls"), 0), rc;
	struct buf bundle;

	if (fd < 0)
		return err_set(e, ERR_INVALID, "no certificates were passed");
	buf_init(&bundle, TEXT_MAX);
	if ((rc = file_read_fd(fd, &bundle, e)) == 0)
		rc = tls_server_new(buf_slice(&bundle), &srv->tls, e);
	if (bundle.p != NULL)
		mem_wipe(bundle.p, bundle.cap);
	buf_fini(&bundle);
	close(fd);
	return rc;
}

static int
open_store(struct server *srv, struct err *e)
{
	const struct conf *conf = srv->conf;
	struct store_conf sc = {
		.state_dir = conf->state_dir,
		.run_dir = conf->run_dir,
		.name = srv->ops->name,
		.cache_bytes = conf->store_cache,
		.segment_bytes = conf->segment_size,
		.free_floor_bytes = conf->free_floor,
		.role = STORE_DAEMON,
	};
	int rc;

	if ((rc = store_open(&sc, LOCK_WAIT_MS, &srv->store, e)) != 0)
		return rc;
	srv->priv->epoch = store_new_id(srv->store) >> 32;
	srv->priv->notify_fd = -1;
	if (srv->ops->notify_kinds == 0)
		return 0;
	srv->priv->notify_fd =
	    notify_listen(srv->store, srv->ops->notify_kinds);
	if (srv->priv->notify_fd < 0)
		return err_set(
		    e, srv->priv->notify_fd, "cannot listen for notifications");
	return 0;
}

static int
open_workers(struct server *srv, struct err *e)
{
	int rc;

	if ((rc = work_new(
		 "store", srv->conf->store_workers, &srv->store_work)) != 0 ||
	    (rc = work_new("auth", srv->conf->auth_workers, &srv->auth_work)) !=
		0)
		return err_set(e, rc, "cannot start worker threads");
	return 0;
}

static int
open_all(struct server *srv, struct err *e)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct conf *conf;
	int rc;

	if ((rc = inherit_take(&srv->priv->fds, e)) != 0)
		return rc;
	srv->figures =
	    figures_map(inherit_find(&srv->priv->fds, SLICE("figures"), 0));
	figures_set(srv->figures, FIG_STARTED, (uint64_t)clock_wall_sec());
	srv->priv->control = inherit_find(&srv->priv->fds, SLICE("control"), 0);
	if (srv->priv->control < 0)
		return err_set(e, ERR_INVALID, "no control socket was passed");
	if ((rc = conf_passed(inherit_find(&srv->priv->fds, SLICE("conf"), 0),
		 &conf, e)) != 0)
		return rc;
	srv->conf = conf;
	log_init(srv->ops->name, log_level_named(srv->conf->log_level));
	if (srv->conf->hostname[0] != '\0')
		(void)slice_copy(slice_str(srv->conf->hostname), srv->hostname,
		    sizeof(srv->hostname));
	else if (gethostname(srv->hostname, sizeof(srv->hostname) - 1) != 0)
		return err_set(e, ERR_IO, "this host has no name");
	srv->nloops = srv->conf->loops != 0 ? srv->conf->loops
		      : cores > 0           ? (size_t)cores
					    : 1;
	seats_open(srv);
	if ((rc = open_tls(srv, e)) != 0 || (rc = open_store(srv, e)) != 0 ||
	    (rc = auth_new(srv->conf, srv->store, srv->ops->sasl_service,
		 srv->hostname, &srv->auth, e)) != 0 ||
	    (rc = open_workers(srv, e)) != 0)
		return rc;
	return srv->ops->start != NULL ? srv->ops->start(srv, e) : 0;
}

static void
close_all(struct server *srv)
{
	struct server_priv *p = srv->priv;
	struct conf *last;

	work_free(&srv->auth_work);
	work_free(&srv->store_work);
	/* Whoever told the loops of the last batch may still be at it. */
	if (srv->store != NULL && store_sync_now(srv->store) != 0)
		log_warn(NULL, "stop", "why=sync");
	if (srv->ops->stop != NULL)
		srv->ops->stop(srv);
	for (size_t i = 0; i < srv->nloops; i++) {
		struct server_entry *entry = p->threads[i].entries, *next;

		for (; entry != NULL; entry = next) {
			next = entry->next;
			free(entry);
		}
		loop_free(&srv->loops[i].loop);
	}
	auth_free(&srv->auth);
	store_close(&srv->store);
	seats_close(srv);
	tls_server_free(&srv->tls);
	for (size_t i = 0; i < p->nold; i++)
		conf_free(&p->old_confs[i]);
	free(p->old_confs);
	last = (struct conf *)srv->conf;
	conf_free(&last);
	figures_unmap(srv->figures);
	inherit_fini(&p->fds);
	admit_fini(p);
	free(p->threads);
	free(srv->loops);
}

/* The supervisor speaks for the whole host: signals that a terminal sends to
 * all are not ours to answer. */
static void
quiet_signals(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

/* What messages lay in comes free at a heap's end and is wanted again within
 * the millisecond: not to be given back and faulted in each time.  The two are
 * set as glibc would by itself after the first free of a large block. */
static void
keep_memory(void)
{
	(void)mallopt(M_TRIM_THRESHOLD, HEAP_SPARE);
	(void)mallopt(M_MMAP_THRESHOLD, HEAP_MAPS);
}

int
server_main(const struct server_ops *ops, int argc, char **argv)
{
	struct server_priv priv = { .control = -1 };
	struct server srv = { .ops = ops, .priv = &priv };
	struct err e = { 0 };

	(void)argc, (void)argv;
	log_init(ops->name, LOG_INFO);
	quiet_signals();
	keep_memory();
	admit_init(&priv);
	if (open_all(&srv, &e) != 0 || loops_start(&srv, &e) != 0) {
		log_error(NULL, "start", "failed=\"%s\" detail=\"%s\"", e.text,
		    e.detail);
		return 1;
	}
	control_serve(&srv);
	if (!loops_end(&srv)) {
		/* Clients are left whose jobs may still run: durable is what
		 * was answered, so the end may be short. */
		log_warn(NULL, "stop", "clients_left=%u", priv.clients);
		work_free(&srv.auth_work);
		work_free(&srv.store_work);
		store_close(&srv.store);
		_exit(0);
	}
	close_all(&srv);
	return 0;
}
