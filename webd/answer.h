/*
 * answer.h - what a request is answered; pure but for the signature's key.
 *
 * Domains are compared; addresses never are: one that exists and one that
 * does not get the same bytes by the same steps.
 */
#ifndef WEBD_ANSWER_H
#define WEBD_ANSWER_H

#include "lib/base/conf.h"
#include "webd/domains.h"

enum { ANSWER_BODY_MAX = 16 << 10, ANSWER_MAX = 256 << 10 };

enum answer_method { METHOD_GET = 1, METHOD_POST = 2, METHOD_OTHER = 4 };

/* A request; texts are borrowed, as they came. */
struct ask {
	enum answer_method method;  /* HEAD is GET */
	struct slice path;          /* without query */
	struct slice host;          /* may be empty */
	struct slice address, lang; /* of the query; {NULL, 0}: not there */
	struct slice accept_language;
	struct slice body;
};

struct answer {
	unsigned status;
	const char *type;  /* of the content; static */
	const char *lang;  /* of the content, or NULL */
	const char *file;  /* a name to save it under, or NULL */
	const char *allow; /* with status 405 */
	struct buf body;
};

/* What the answers are made from. */
struct answer_host {
	const struct conf *conf;
	const struct domains *domains;
	struct slice chain_pem, key_pem; /* of profile-cert; or empty */
};

/* The largest body that the path may be given; 0: none. */
size_t answer_body_max(struct slice path);
/* Fills *an; the caller frees an->body. */
void answer_make(
    const struct answer_host *h, const struct ask *ask, struct answer *an);

#endif
