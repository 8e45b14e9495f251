/*
 * submit_fixture.h - a client of submitd without a connection, on a scratch
 * host (auth_fixture.h), for tests of what happens behind the data.
 */
#ifndef TESTS_UNIT_SUBMIT_FIXTURE_H
#define TESTS_UNIT_SUBMIT_FIXTURE_H

#include "tests/unit/auth_fixture.h"

#include "lib/base/mem.h"
#include "submitd/app.h"
#include "submitd/client.h"

struct submit_fixture {
	struct auth_fixture x;
	struct server srv;
	struct app app;
	struct server_loop sl;
	struct client *c;
};

static inline void
submit_new(struct submit_fixture *sf)
{
	memset(sf, 0, sizeof(*sf));
	auth_fixture_new(&sf->x);
	sf->srv.conf = sf->x.conf;
	sf->srv.store = sf->x.f.s;
	sf->srv.auth = sf->x.auth;
	(void)snprintf(
	    sf->srv.hostname, sizeof(sf->srv.hostname), "mail.example.org");
	sf->app.rights = rights_new(sf->srv.store);
	sf->srv.app = &sf->app;
	sf->sl.srv = &sf->srv;
	sf->c = xcalloc(1, sizeof(*sf->c));
	sf->c->s.sl = &sf->sl;
	sf->c->role = ROLE_MX;
	sf->c->esmtp = true;
	(void)snprintf(sf->c->helo, sizeof(sf->c->helo), "mx.example.net");
	(void)snprintf(
	    sf->c->s.conn.peer_ip, sizeof(sf->c->s.conn.peer_ip), "192.0.2.1");
	(void)snprintf(sf->c->queue_id, sizeof(sf->c->queue_id), "Q1A");
}

static inline void
submit_free(struct submit_fixture *sf)
{
	envelope_reset(sf->c);
	free(sf->c);
	rights_free(&sf->app.rights);
	auth_fixture_free(&sf->x);
}

static inline void
submit_mail(struct submit_fixture *sf, const char *sender)
{
	struct envelope *env = &sf->c->env;

	envelope_reset(sf->c);
	env->open = true;
	env->sender = slice_str(arena_str(&env->arena, slice_str(sender)));
}

/* A recipient as RCPT would take it. */
static inline struct envelope_rcpt *
submit_rcpt(struct submit_fixture *sf, const char *addr)
{
	struct envelope *env = &sf->c->env;
	struct envelope_rcpt *r;
	int rc;

	env->rcpts =
	    mem_grow(env->rcpts, &env->cap, env->nrcpts, sizeof(*env->rcpts));
	r = &env->rcpts[env->nrcpts++];
	*r = (struct envelope_rcpt){ 0 };
	r->addr = slice_str(arena_str(&env->arena, slice_str(addr)));
	rc = address_route(sf->srv.store, r->addr, &env->arena, &r->route);
	if (rc == ERR_NOTFOUND) {
		r->route.remote = arena_alloc(&env->arena, sizeof(r->addr));
		r->route.remote[0] = r->addr;
		r->route.nremote = 1;
	} else {
		assert_int_equal(rc, 0);
	}
	return r;
}

#endif
