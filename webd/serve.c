#include "webd/serve.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum {
	CONNECTIONS_MAX = 256,
	HEAD_MAX = 32 << 10,
	SILENCE_SEC = 15,
	REQUEST_MS = 60000,
	METRICS_MAX = 1 << 20
};

/* A connection: since when it owes us a request. */
struct peer {
	TAILQ_ENTRY(peer) link;
	uint64_t since_ms;
	int fd;
	bool cut;
};

struct serve_door {
	struct web *w;
	struct MHD_Daemon *daemon;
	bool metrics;
	TAILQ_HEAD(peer_list, peer) peers;
	uint32_t n;
};

/* A request whose body is still coming. */
struct request {
	struct buf body;
	bool too_big;
};

static void
on_connection(void *cls, struct MHD_Connection *c, void **peer_io,
    enum MHD_ConnectionNotificationCode what)
{
	struct serve_door *door = cls;
	struct peer *p = *peer_io;
	const union MHD_ConnectionInfo *info;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		info = MHD_get_connection_info(
		    c, MHD_CONNECTION_INFO_CONNECTION_FD);
		p = xcalloc(1, sizeof(*p));
		p->since_ms = clock_steady_ms();
		p->fd = info != NULL ? info->connect_fd : -1;
		TAILQ_INSERT_TAIL(&door->peers, p, link);
		door->n++;
		*peer_io = p;
	} else if (p != NULL) {
		TAILQ_REMOVE(&door->peers, p, link);
		door->n--;
		free(p);
		*peer_io = NULL;
	}
}

static struct peer *
peer_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

static void
on_completed(void *cls, struct MHD_Connection *c, void **request_io,
    enum MHD_RequestTerminationCode code)
{
	struct request *r = *request_io;
	struct peer *p = peer_of(c);

	(void)cls, (void)code;
	if (p != NULL)
		p->since_ms = clock_steady_ms();
	if (r == NULL)
		return;
	buf_fini(&r->body);
	free(r);
	*request_io = NULL;
}

static void
on_log(void *cls, const char *fmt, va_list ap)
{
	char text[200];

	(void)cls;
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	log_debug(NULL, "http", "text=%s", log_q(slice_str(text)));
}

static struct slice
value(struct MHD_Connection *c, enum MHD_ValueKind kind, const char *key)
{
	const char *text = NULL;
	size_t n = 0;

	if (MHD_lookup_connection_value_n(
		c, kind, key, strlen(key), &text, &n) != MHD_YES)
		return (struct slice){ NULL, 0 };
	return slice_of(text != NULL ? text : "", n);
}

static void
head(struct MHD_Response *r, const char *name, const char *text)
{
	if (text != NULL)
		(void)MHD_add_response_header(r, name, text);
}

/* Nothing that the page does not need: no scripts, nothing from elsewhere,
 * in nobody's frame. */
static void
heads_of_page(struct MHD_Response *r)
{
	head(r, "Content-Security-Policy",
	    "default-src 'none'; style-src 'unsafe-inline'; form-action "
	    "'self'; "
	    "base-uri 'none'; frame-ancestors 'none'");
	head(r, "Referrer-Policy", "no-referrer");
	head(r, "Vary", "Accept-Language");
}

static enum MHD_Result
send_answer(struct MHD_Connection *c, const struct answer *an)
{
	struct slice body = buf_slice(&an->body);
	struct MHD_Response *r = MHD_create_response_from_buffer(
	    body.n, (void *)(uintptr_t)body.p, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result rc;
	char save[100];

	if (r == NULL)
		return MHD_NO;
	head(r, "Content-Type", an->type);
	head(r, "Content-Language", an->lang);
	head(r, "Allow", an->allow);
	head(r, "Cache-Control", "no-store");
	head(r, "X-Content-Type-Options", "nosniff");
	if (an->lang != NULL)
		heads_of_page(r);
	if (an->file != NULL) {
		(void)snprintf(save, sizeof(save),
		    "attachment; filename=\"%s\"", an->file);
		head(r, "Content-Disposition", save);
	}
	rc = MHD_queue_response(c, an->status, r);
	MHD_destroy_response(r);
	return rc;
}

static enum answer_method
method_of(const char *method)
{
	if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
		return METHOD_GET;
	return strcmp(method, "POST") == 0 ? METHOD_POST : METHOD_OTHER;
}

static void
make_metrics(struct web *w, const struct ask *a, struct answer *an)
{
	*an = (struct answer){ .status = 404, .type = "text/plain" };
	buf_init(&an->body, METRICS_MAX);
	if (!slice_eq(a->path, SLICE("/metrics")) || a->method != METHOD_GET) {
		buf_add_str(&an->body, "see /metrics\n");
		return;
	}
	an->status = 200;
	an->type = "text/plain; version=0.0.4; charset=utf-8";
	metrics_write(w->pages, w->npages, &an->body);
}

static void
make_simple(struct answer *an, unsigned status, const char *text)
{
	*an = (struct answer){ .status = status, .type = "text/plain" };
	buf_init(&an->body, ANSWER_MAX);
	buf_printf(&an->body, "%s\n", text);
}

static enum MHD_Result
respond(struct serve_door *door, struct MHD_Connection *c, const char *url,
    const char *method, const struct request *r)
{
	static const char address[] = "emailaddress", lang[] = "lang";
	struct web *w = door->w;
	const struct ask ask = { .method = method_of(method),
		.path = slice_str(url),
		.host = value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST),
		.address = value(c, MHD_GET_ARGUMENT_KIND, address),
		.lang = value(c, MHD_GET_ARGUMENT_KIND, lang),
		.accept_language =
		    value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_LANGUAGE),
		.body = buf_slice(&r->body) };
	struct answer an;
	enum MHD_Result rc;

	if (r->too_big)
		make_simple(&an, 413, "too long");
	else if (door->metrics)
		make_metrics(w, &ask, &an);
	else
		answer_make(&w->host, &ask, &an);
	if (!door->metrics) {
		figures_add(w->figures,
		    an.status < 400 ? FIG_WEB_GOOD : FIG_WEB_BAD, 1);
		log_info(NULL, "request", "method=%s path=%s status=%u",
		    log_q(slice_str(method)), log_q(ask.path), an.status);
	}
	rc = send_answer(c, &an);
	buf_fini(&an.body);
	return rc;
}

/* Called when the head is there, for each piece of the body, and at its end. */
static enum MHD_Result
on_request(void *cls, struct MHD_Connection *c, const char *url,
    const char *method, const char *version, const char *data, size_t *data_n,
    void **request_io)
{
	struct serve_door *door = cls;
	struct request *r = *request_io;

	(void)version;
	if (r == NULL) {
		r = xcalloc(1, sizeof(*r));
		buf_init(&r->body,
		    door->metrics ? 0 : answer_body_max(slice_str(url)));
		*request_io = r;
		return MHD_YES;
	}
	if (*data_n != 0) {
		/* What is too much is read and dropped; silence and the
		 * request's time are limited. */
		buf_add(&r->body, data, *data_n);
		r->too_big = r->too_big || buf_failed(&r->body);
		*data_n = 0;
		return MHD_YES;
	}
	return respond(door, c, url, method, r);
}

static int
open_door(struct web *w, int fd, bool metrics, struct err *e)
{
	struct serve_door *door = &w->doors[w->ndoors];

	door->w = w;
	door->metrics = metrics;
	TAILQ_INIT(&door->peers);
	door->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0,
	    NULL, NULL, on_request, door, MHD_OPTION_EXTERNAL_LOGGER, on_log,
	    NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)HEAD_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned)SILENCE_SEC, MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, door,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, door, MHD_OPTION_END);
	if (door->daemon == NULL)
		return err_set(e, ERR_IO, "the HTTP server does not start");
	w->ndoors++;
	return 0;
}

int
serve_open(struct web *w, struct err *e)
{
	w->doors = xcalloc(w->fds.n + 1, sizeof(*w->doors));
	for (size_t i = 0; i < w->fds.n; i++) {
		struct slice name = slice_str(w->fds.v[i].name);
		bool metrics = slice_eq(name, SLICE("metrics"));
		int rc;

		if (!metrics && !slice_eq(name, SLICE("http")))
			continue;
		if ((rc = open_door(w, w->fds.v[i].fd, metrics, e)) != 0)
			return rc;
	}
	return 0;
}

void
serve_close(struct web *w)
{
	for (size_t i = 0; i < w->ndoors; i++)
		MHD_stop_daemon(w->doors[i].daemon);
	free(w->doors);
	w->doors = NULL;
	w->ndoors = 0;
}

size_t
serve_fds(const struct web *w, int *fds, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < w->ndoors && n < max; i++) {
		const union MHD_DaemonInfo *info = MHD_get_daemon_info(
		    w->doors[i].daemon, MHD_DAEMON_INFO_EPOLL_FD);

		if (info != NULL)
			fds[n++] = info->epoll_fd;
	}
	return n;
}

int
serve_wait_ms(const struct web *w, int at_most)
{
	for (size_t i = 0; i < w->ndoors; i++) {
		MHD_UNSIGNED_LONG_LONG ms;

		if (MHD_get_timeout(w->doors[i].daemon, &ms) == MHD_YES &&
		    ms < (MHD_UNSIGNED_LONG_LONG)at_most)
			at_most = (int)ms;
	}
	return at_most;
}

/* A request that comes drop by drop is never silent: its time is up some
 * day.  libmicrohttpd sees the end of the stream and closes. */
static void
cut_late(struct serve_door *door, uint64_t now)
{
	struct peer *p;

	TAILQ_FOREACH(p, &door->peers, link) {
		if (p->cut || now - p->since_ms < REQUEST_MS)
			continue;
		p->cut = true;
		(void)shutdown(p->fd, SHUT_RDWR);
	}
}

void
serve_step(struct web *w)
{
	uint64_t now = clock_steady_ms();

	for (size_t i = 0; i < w->ndoors; i++) {
		cut_late(&w->doors[i], now);
		(void)MHD_run(w->doors[i].daemon);
	}
}

uint32_t
serve_clients(const struct web *w)
{
	uint32_t n = 0;

	for (size_t i = 0; i < w->ndoors; i++)
		n += w->doors[i].n;
	return n;
}
