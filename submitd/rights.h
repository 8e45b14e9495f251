/*
 * rights.h - what the store says of who sends (storage/policy.h), remembered
 * by this process until any account or address changes (generation.h): what an
 * operator has said acts at once.  Thread-safe; a miss reads the store, so in
 * jobs only.
 */
#ifndef SUBMITD_RIGHTS_H
#define SUBMITD_RIGHTS_H

#include "auth/auth.h"
#include "storage/policy.h"

struct rights_cache;

struct rights {
	struct policy_limits account, package; /* 0: none */
	bool sent_copy, outbox;
	uint32_t undo_sec;
	char send_as[POLICY_AS_MAX + 1];
};

struct rights_cache *rights_new(struct store *s);
void rights_free(struct rights_cache **r);

/* Of who has logged in.  Host-wide limits stand in for those not set. */
PH_MUSTUSE int rights_get(struct rights_cache *r, const struct conf *conf,
    const struct auth_who *who, struct rights *out);
PH_MUSTUSE int rights_domain(
    struct rights_cache *r, struct slice domain, struct policy_limits *out);

/* The same when it is remembered; never reads the store, so on loops too. */
bool rights_known(struct rights_cache *r, const struct conf *conf,
    const struct auth_who *who, struct rights *out);
bool rights_domain_known(
    struct rights_cache *r, struct slice domain, struct policy_limits *out);

/* That the folded address is one of the account's.  turn: rights_turn() before
 * the store was asked. */
uint64_t rights_turn(struct rights_cache *r);
void rights_own(
    struct rights_cache *r, uint64_t account, struct slice addr, uint64_t turn);
bool rights_owns(struct rights_cache *r, uint64_t account, struct slice addr);

/* Is the folded address on the list send_as: itself, or by "@domain"? */
bool rights_lists(const struct rights *r, struct slice addr);
/* The smallest limit of recipients per message, 0: none. */
uint64_t rights_rcpt_max(
    const struct rights *r, const struct policy_limits *domain);

#endif
