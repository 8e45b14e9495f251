/*
 * params.h - what MAIL and RCPT say behind the address (RFC 5321 4.1.1.11).
 */
#ifndef SUBMITD_PARAMS_H
#define SUBMITD_PARAMS_H

#include "submitd/client.h"
#include "submitd/parse.h"

/* Into c->env; false: the reply says what is wrong. */
bool params_mail(struct client *c, const struct smtp_param *v, unsigned n);
/* Into *r; the same. */
bool params_rcpt(struct client *c, const struct smtp_param *v, unsigned n,
    struct envelope_rcpt *r);

#endif
