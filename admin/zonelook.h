/*
 * zonelook.h - what the DNS says of this host and its domains, as other hosts
 * will read it.
 */
#ifndef ADMIN_ZONELOOK_H
#define ADMIN_ZONELOOK_H

#include "admin/findings.h"
#include "lib/base/conf.h"

struct zonelook;

/* Looks at the host's own name too; hostname is borrowed.  NULL: there is no
 * resolver, which has been told. */
struct zonelook *zonelook_new(const struct conf *conf, const char *hostname,
    struct findings *f) PH_MUSTUSE;
void zonelook_free(struct zonelook **z);
/* MX, the server's name as clients are told it, SPF, DMARC.  Blocks.  When the
 * resolver has been silent three times in a row nothing more is asked. */
void zonelook_domain(
    struct zonelook *z, const char *domain, const char *server);

/* May one of these addresses of this host send, as far as the record itself
 * tells?  RFC 7208 5. */
enum zonelook_spf { ZONELOOK_SPF_NO, ZONELOOK_SPF_MAYBE, ZONELOOK_SPF_YES };
struct zonelook_sender {
	const char *hostname;
	bool is_mx; /* of the domain */
	const char *const *addrs;
	size_t naddrs;
};
enum zonelook_spf zonelook_spf(
    const char *record, const struct zonelook_sender *from);

#endif
