#include "submitd/relay.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "submitd/relay_priv.h"

enum { INPUT_MAX = 64 << 10, CHUNK_MAX = 1 << 20, QUIT_MS = 5000 };

static const struct conf *
conf_of(const struct relay *r)
{
	return r->env->sl->srv->conf;
}

static void
relay_free(struct relay *r)
{
	route_cancel(&r->asking);
	buf_fini(&r->chunk);
	buf_fini(&r->whole);
	mem_wipe(r->password, sizeof(r->password));
	r->env->ops->gone(r, r->arg);
	free(r);
}

void
relay_maybe_free(struct relay *r)
{
	if (r->dead && !r->working && r->errand == NULL)
		relay_free(r);
}

static void on_connected(struct conn *c, int rc, const struct err *e);
static void on_input(struct conn *c);
static void on_drained(struct conn *c);
static void on_secured(struct conn *c, int rc, const struct err *e);
static void on_eof(struct conn *c);
static void on_timeout(struct conn *c);
static void on_closed(struct conn *c);

static const struct conn_ops ops = {
	.input = on_input,
	.drained = on_drained,
	.secured = on_secured,
	.eof = on_eof,
	.timeout = on_timeout,
	.connected = on_connected,
	.closed = on_closed,
};

void
relay_wait(struct relay *r, enum relay_wait what)
{
	const struct conf *conf = conf_of(r);
	const uint64_t ms[] = { [WAIT_NONE] = 0,
		[WAIT_REPLY] = conf->relay_timeout,
		[WAIT_DATA] = conf->relay_data_timeout,
		[WAIT_BLOCK] = conf->relay_block_timeout,
		[WAIT_END] = conf->relay_end_timeout,
		[WAIT_IDLE] = conf->relay_idle };

	r->deadline_ms =
	    ms[what] == 0 ? 0 : loop_now_ms(r->env->sl->loop) + ms[what];
}

void
relay_begin_total(struct relay *r)
{
	r->total_ms =
	    loop_now_ms(r->env->sl->loop) + conf_of(r)->relay_total_timeout;
}

/* Whose words they are: the other server's, which is then named, or with OWN
 * ours, "", and then it is named in *out. */
static const char *
words_of(const struct relay *r, const char *words, char out[QUEUE_REPLY_MAX])
{
	bool own = words[0] == OWN[0];

	if (own && r->remote[0] != '\0')
		(void)snprintf(out, QUEUE_REPLY_MAX, "%.200s (%.90s)",
		    words + 1, r->remote);
	else
		(void)snprintf(
		    out, QUEUE_REPLY_MAX, "%s", own ? words + 1 : words);
	return own ? "" : r->remote;
}

static void
set_all(struct relay *r, struct errand *e, enum outcome out, const char *words)
{
	char text[QUEUE_REPLY_MAX];
	const char *remote = words_of(r, words, text);

	errand_set_all(e, out, remote, text);
}

void
relay_outcome(struct relay *r, enum outcome out, const char *words)
{
	set_all(r, r->errand, out, words);
}

void
relay_outcome_of(
    struct relay *r, size_t rcpt, enum outcome out, const char *words)
{
	char text[QUEUE_REPLY_MAX];
	const char *remote = words_of(r, words, text);

	errand_set(r->errand, rcpt, out, remote, text);
}

/* Nobody is reached: the same outcome for this errand and all that wait. */
static void
no_way(struct relay *r, enum outcome out)
{
	char text[QUEUE_REPLY_MAX];
	const char *remote = words_of(r, r->last, text);

	r->no_way = out;
	r->state = RELAY_IDLE;
	r->env->ops->unreached(r, r->arg, out, remote, text);
	relay_outcome(r, out, r->last);
	relay_settled(r);
}

static void
name_hop(struct relay *r, const struct route_hop *hop)
{
	char ip[INET6_ADDRSTRLEN] = "";

	if (hop->addr.sa.sa_family == AF_INET6)
		(void)inet_ntop(
		    AF_INET6, &hop->addr.in6.sin6_addr, ip, sizeof(ip));
	else
		(void)inet_ntop(
		    AF_INET, &hop->addr.in.sin_addr, ip, sizeof(ip));
	(void)snprintf(r->remote, sizeof(r->remote), "%s [%s]", hop->host, ip);
}

/* Our address of the hop's family, or NULL: the kernel's choice. */
static const struct sockaddr *
source_for(
    const struct relay *r, const struct route_hop *hop, union dns_addr *out)
{
	const struct conf_list *list = &conf_of(r)->relay_source;

	for (size_t i = 0; i < list->n; i++)
		if (route_parse_ip(list->v[i], out) &&
		    out->sa.sa_family == hop->addr.sa.sa_family)
			return &out->sa;
	return NULL;
}

void
relay_connect(struct relay *r)
{
	const struct route_hop *hop;
	union dns_addr from;

	while (r->hop < r->list.n) {
		hop = &r->list.hops[r->hop];
		name_hop(r, hop);
		r->state = RELAY_CONNECT;
		r->dead = r->reused = false;
		relay_wait(r, WAIT_NONE);
		reply_init(&r->reply);
		if (conn_connect(&r->conn, r->env->sl->loop, &hop->addr.sa,
			source_for(r, hop, &from),
			conf_of(r)->relay_connect_timeout, &ops, INPUT_MAX,
			conf_of(r)->output_high_water) == 0)
			return;
		(void)snprintf(
		    r->last, sizeof(r->last), OWN "451 4.4.1 cannot connect");
		r->dead = true;
		r->hop++;
	}
	no_way(r, OUT_TEMP);
}

void
relay_next_hop(struct relay *r, const char *why)
{
	(void)snprintf(r->last, sizeof(r->last), "%s", why);
	r->hop++;
	r->no_tls = false;
	/* on_closed() goes on when the old connection is gone. */
	if (!r->dead)
		conn_abort(&r->conn);
	else
		relay_connect(r);
}

static void
on_route(const struct route_list *list, void *arg)
{
	struct relay *r = arg;

	r->asking = NULL;
	r->list = *list;
	if (list->end == ROUTE_OK) {
		relay_connect(r);
		return;
	}
	(void)snprintf(r->last, sizeof(r->last), OWN "%s", list->text);
	no_way(r, list->end == ROUTE_PERM ? OUT_PERM : OUT_TEMP);
}

struct relay *
relay_start(const struct relay_env *env, const char *domain,
    struct errand *first, void *arg)
{
	struct relay *r = xcalloc(1, sizeof(*r));

	r->env = env;
	r->arg = arg;
	r->errand = first;
	r->dead = true;
	r->started_ms = loop_now_ms(env->sl->loop);
	r->state = RELAY_ROUTE;
	relay_begin_total(r);
	buf_init(&r->chunk, CHUNK_MAX);
	(void)snprintf(r->domain, sizeof(r->domain), "%s", domain);
	r->asking = route_ask(env->sl->loop, env->dns, conf_of(r),
	    env->sl->srv->hostname, domain, on_route, r);
	return r;
}

static void
begin_tls(struct relay *r)
{
	bool verify = r->list.tls == ROUTE_TLS_VERIFY;

	r->state = RELAY_HANDSHAKE;
	relay_wait(r, WAIT_NONE); /* has its own */
	if (conn_tls_client(&r->conn, verify ? r->env->tls_verify : r->env->tls,
		r->list.hops[r->hop].host, conf_of(r)->handshake_timeout) != 0)
		relay_next_hop(r, OWN "451 4.7.0 TLS cannot begin");
}

static void
on_connected(struct conn *c, int rc, const struct err *e)
{
	struct relay *r = PH_CONTAINER(c, struct relay, conn);
	char why[QUEUE_REPLY_MAX];

	if (rc != 0) {
		(void)snprintf(why, sizeof(why), OWN "451 4.4.1 %s",
		    e->text[0] != '\0' ? e->text : "cannot connect");
		relay_next_hop(r, why);
		return;
	}
	if (r->list.smtps) {
		begin_tls(r);
		return;
	}
	(void)c;
	r->state = RELAY_BANNER;
	relay_wait(r, WAIT_REPLY);
}

static void
say_hello(struct relay *r, const char *verb, enum relay_state state)
{
	struct buf out;

	buf_init(&out, 1024);
	buf_printf(&out, "%s %s\r\n", verb, r->env->sl->srv->hostname);
	conn_write_buf(&r->conn, &out);
	buf_fini(&out);
	r->state = state;
	relay_wait(r, WAIT_REPLY);
}

static void
read_caps(struct relay *r)
{
	static const struct {
		const char *word;
		unsigned can;
	} words[] = {
		{ "PIPELINING", CAN_PIPELINE },
		{ "8BITMIME", CAN_8BIT },
		{ "SMTPUTF8", CAN_UTF8 },
		{ "DSN", CAN_DSN },
		{ "STARTTLS", CAN_TLS },
		{ "CHUNKING", CAN_CHUNK },
	};
	struct slice args, word;

	r->can = 0;
	r->size_max = 0;
	for (size_t i = 0; i < PH_LEN(words); i++)
		if (reply_keyword(&r->reply, words[i].word, &args))
			r->can |= words[i].can;
	if (reply_keyword(&r->reply, "AUTH", &args))
		while (slice_split(&args, ' ', &word))
			r->can |= slice_ieq(word, SLICE("PLAIN"))   ? CAN_PLAIN
				  : slice_ieq(word, SLICE("LOGIN")) ? CAN_LOGIN
								    : 0;
	if (reply_keyword(&r->reply, "SIZE", &args)) {
		r->can |= CAN_SIZE;
		if (!num_parse(args, UINT64_MAX, &r->size_max))
			r->size_max = 0;
	}
}

/* RFC 5321 6.3: who greets with our own name is us. */
static bool
is_self(const struct relay *r)
{
	struct slice text = slice_of(r->reply.text, r->reply.n), line, name;

	return !r->list.fixed && slice_split(&text, '\n', &line) &&
	       (line = slice_from(line, 4), slice_split(&line, ' ', &name)) &&
	       slice_ieq_str(name, r->env->sl->srv->hostname);
}

static void
refuse_self(struct relay *r)
{
	(void)snprintf(r->last, sizeof(r->last),
	    OWN "554 5.4.6 mail for this domain leads back to this host");
	conn_abort(&r->conn);
	no_way(r, OUT_PERM);
}

static void
on_ehlo(struct relay *r)
{
	enum route_tls tls = r->list.tls;
	bool secure = conn_is_tls(&r->conn);

	read_caps(r);
	if (is_self(r)) {
		refuse_self(r);
	} else if ((r->can & CAN_TLS) && !secure && !r->no_tls &&
		   tls != ROUTE_TLS_NONE) {
		conn_write(&r->conn, SLICE("STARTTLS\r\n"));
		r->state = RELAY_STARTTLS;
		relay_wait(r, WAIT_REPLY);
	} else if (!secure && tls >= ROUTE_TLS_MUST) {
		relay_next_hop(
		    r, OWN "451 4.7.10 the other server offers no TLS");
	} else {
		relay_auth(r);
	}
}

/* Opportunistic TLS that was refused is done without. */
static void
on_starttls(struct relay *r, const char *why)
{
	if (r->reply.code == 220)
		/* RFC 3207 6: bytes behind the 220 are not to be trusted. */
		begin_tls(r);
	else if (r->list.tls >= ROUTE_TLS_MUST)
		relay_next_hop(r, why);
	else
		relay_auth(r);
}

/* Replies up to the first mail: what is refused here is this hop's matter. */
static void
on_hello_reply(struct relay *r)
{
	int code = r->reply.code;
	char why[QUEUE_REPLY_MAX];

	reply_line(&r->reply, why, sizeof(why));
	if (r->state == RELAY_BANNER && code == 220) {
		say_hello(r, "EHLO", RELAY_EHLO);
	} else if (r->state == RELAY_EHLO && code == 250) {
		on_ehlo(r);
	} else if (r->state == RELAY_EHLO && code >= 500) {
		say_hello(r, "HELO", RELAY_HELO);
	} else if (r->state == RELAY_HELO && code == 250 &&
		   r->list.tls < ROUTE_TLS_MUST) {
		r->can = 0;
		relay_auth(r);
	} else if (r->state == RELAY_STARTTLS) {
		on_starttls(r, why);
	} else if (r->state >= RELAY_AUTH) {
		relay_auth_reply(r, why);
	} else {
		relay_next_hop(r, why);
	}
}

static void
on_reply(struct relay *r)
{
	if (r->state < RELAY_MAIL)
		on_hello_reply(r);
	else if (r->state < RELAY_IDLE)
		relay_mail_reply(r);
	else
		conn_close(&r->conn); /* QUIT's, or 421: RFC 5321 3.8 */
	reply_init(&r->reply);
}

static void
broken(struct relay *r, const char *why)
{
	if (r->state < RELAY_MAIL) {
		relay_next_hop(r, why);
		return;
	}
	conn_abort(&r->conn);
	relay_mail_broken(r, OUT_TEMP, why);
}

static void
on_input(struct conn *c)
{
	struct relay *r = PH_CONTAINER(c, struct relay, conn);
	enum reply_kind kind = REPLY_DONE;
	size_t used;

	while (!conn_closing(c) && buf_len(&c->in) != 0 && kind == REPLY_DONE &&
	       r->state != RELAY_HANDSHAKE) {
		kind = reply_feed(&r->reply, buf_slice(&c->in), &used);
		conn_consume(c, used);
		if (kind == REPLY_DONE)
			on_reply(r);
	}
	if (kind == REPLY_BAD)
		broken(r, OWN "451 4.5.0 the other server does not speak SMTP");
}

static void
on_drained(struct conn *c)
{
	struct relay *r = PH_CONTAINER(c, struct relay, conn);

	if (r->state == RELAY_BODY && !r->working)
		relay_body_more(r);
}

static void
on_secured(struct conn *c, int rc, const struct err *e)
{
	struct relay *r = PH_CONTAINER(c, struct relay, conn);

	if (rc == 0) {
		if (r->list.smtps)
			r->state = RELAY_BANNER;
		else
			say_hello(r, "EHLO", RELAY_EHLO);
		relay_wait(r, WAIT_REPLY);
		return;
	}
	log_info(NULL, "relay-tls", "remote=\"%s\" failed=\"%s\"", r->remote,
	    e->detail[0] != '\0' ? e->detail : e->text);
	if (r->list.smtps || r->list.tls >= ROUTE_TLS_MUST) {
		relay_next_hop(r, OWN "451 4.7.0 the other server's TLS or "
				      "certificate does not do");
		return;
	}
	/* Opportunistic: the same hop again, in clear (RFC 7435 3). */
	r->no_tls = true;
	conn_abort(c);
}

static void
on_eof(struct conn *c)
{
	broken(PH_CONTAINER(c, struct relay, conn),
	    OWN "451 4.4.2 the other server closed the connection");
}

/* relay_tick() looks at the time: a byte now and then is no answer. */
static void
on_timeout(struct conn *c)
{
	(void)c;
}

void
relay_tick(struct relay *r, uint64_t now_ms)
{
	bool busy = r->working && r->state < RELAY_MAIL;

	if (r->errand != NULL && !r->dead && !busy && now_ms >= r->total_ms) {
		r->hop = r->list.n; /* the others have had their time, too */
		broken(r, OWN "451 4.4.2 the other server takes too long");
		return;
	}
	if (r->deadline_ms == 0 || now_ms < r->deadline_ms || r->dead)
		return;
	r->deadline_ms = 0;
	if (r->state == RELAY_IDLE)
		relay_quit(r);
	else if (r->state == RELAY_OVER)
		conn_abort(&r->conn);
	else
		broken(r, r->state == RELAY_BODY ? OWN
			      "451 4.4.2 the other server takes no data"
						 : OWN
			      "451 4.4.2 the other server does not answer in "
			      "time");
}

static void
on_closed(struct conn *c)
{
	struct relay *r = PH_CONTAINER(c, struct relay, conn);

	r->dead = true;
	if (r->aborting)
		relay_maybe_free(r);
	else if (r->state < RELAY_MAIL && r->working)
		return; /* the job goes on with it */
	else if (r->state < RELAY_MAIL)
		relay_connect(r);
	else if (r->state < RELAY_IDLE)
		relay_mail_broken(r, OUT_TEMP, OWN "451 4.4.2 connection lost");
	else
		relay_maybe_free(r);
}

static void
over(struct relay *r)
{
	r->state = RELAY_OVER;
	if (r->dead || conn_closing(&r->conn)) {
		relay_maybe_free(r);
		return;
	}
	conn_write(&r->conn, SLICE("QUIT\r\n"));
	r->deadline_ms = loop_now_ms(r->env->sl->loop) + QUIT_MS;
}

static void
idle(struct relay *r, enum relay_keep keep)
{
	r->state = RELAY_IDLE;
	relay_wait(r, keep == RELAY_KEEP ? WAIT_IDLE : WAIT_REPLY);
	if (r->deadline_ms == 0 || r->dead || conn_closing(&r->conn))
		over(r);
}

static void
begin(struct relay *r)
{
	if (!r->dead && !conn_closing(&r->conn)) {
		r->reused = true;
		relay_mail_start(r);
		return;
	}
	/* The way is known, the connection is gone: once more.  While it still
	 * closes, on_closed() goes on. */
	r->hop = 0;
	r->state = RELAY_CONNECT;
	relay_begin_total(r);
	if (r->dead)
		relay_connect(r);
}

/* The next errand, or none.  Where nobody is reached all that wait share that
 * outcome. */
static struct errand *
next(struct relay *r, enum relay_keep *keep_out)
{
	const struct relay_ops *o = r->env->ops;
	struct errand *e;

	*keep_out = RELAY_QUIT;
	while (
	    (e = r->aborting ? NULL : o->next(r, r->arg, keep_out)) != NULL &&
	    r->no_way != OUT_NONE) {
		set_all(r, e, r->no_way, r->last);
		o->settled(r, e, r->arg);
	}
	return e;
}

void
relay_settled(struct relay *r)
{
	struct errand *e = r->errand;
	enum relay_keep keep;

	r->errand = NULL;
	r->deadline_ms = 0;
	r->state = RELAY_IDLE;
	r->env->ops->settled(r, e, r->arg);
	if ((r->errand = next(r, &keep)) != NULL)
		begin(r);
	else if (keep != RELAY_QUIT)
		idle(r, keep);
	else
		over(r);
}

bool
relay_is_idle(const struct relay *r)
{
	return r->state == RELAY_IDLE && !r->dead && !conn_closing(&r->conn);
}

void
relay_rest(struct relay *r)
{
	idle(r, RELAY_KEEP);
}

void
relay_wake(struct relay *r, struct errand *e)
{
	r->errand = e;
	begin(r);
}

void
relay_quit(struct relay *r)
{
	if (r->state == RELAY_IDLE && !r->dead)
		over(r);
}

uint64_t
relay_age_ms(const struct relay *r)
{
	return loop_now_ms(r->env->sl->loop) - r->started_ms;
}

void
relay_abort(struct relay *r)
{
	r->aborting = true;
	if (!r->dead)
		conn_abort(&r->conn);
	/* A job that uses the errand gives it back first. */
	if (!r->working)
		r->errand = NULL;
	relay_maybe_free(r);
}
