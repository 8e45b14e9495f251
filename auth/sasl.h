/*
 * sasl.h - Cyrus SASL: PLAIN, SCRAM-SHA-256, SCRAM-SHA-1 and their -PLUS.
 * What it offers is in auth.h (auth_sasl_*); this is for sasl_lib.c.
 */
#ifndef AUTH_SASL_H
#define AUTH_SASL_H

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

/* The auxprop plug-in's lookup: an exchange gets its login's SCRAM keys. */
int sasl_lookup(void *glob, sasl_server_params_t *sparams, unsigned flags,
    const char *user, unsigned ulen);

#endif
